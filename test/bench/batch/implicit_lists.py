"""The lists of all users by implicit, for batch.sh.

    implicit_lists.py PAIRS ROUNDS PROCESSES...

PAIRS has user and item numbers, one pair a line.  Trains the cosine model with 100 neighbors and
asks for the ten best items of all users, ROUNDS times by each number of processes.  One call of
recommend() for many users is a loop in one thread, so the users are divided among processes that
have the model and the data in their memory when time begins.  The lists stay where they are made.

Prints a line for each: processes, milliseconds.  Then "lists" and how many items all lists have,
and "version" and which one it is.
"""
import importlib.metadata
import multiprocessing
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import scipy.sparse as sp
from implicit.nearest_neighbours import CosineRecommender

pairs = np.loadtxt(sys.argv[1], dtype=np.int32)
histories = sp.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])))
# numbers of users that nobody has are nobody
users = np.flatnonzero(np.diff(histories.indptr))
# the first neighbor of an item is itself
model = CosineRecommender(K=101)
model.fit(histories, show_progress=False)


def recommend(some):
    items, _scores = model.recommend(some, histories[some], N=10)
    assert items.shape == (len(some), 10)
    # a list that is shorter ends in -1
    return int((items >= 0).sum())


for processes in map(int, sys.argv[3:]):
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        # as many parts as a process that is done early can take over
        parts = np.array_split(users, processes * 8)
        pool.map(abs, range(processes * 8))
        for _ in range(int(sys.argv[2])):
            start = time.perf_counter()
            lists = sum(pool.map(recommend, parts, chunksize=1))
            print(processes, round((time.perf_counter() - start) * 1000, 3), flush=True)
print("lists", lists)
print("version", importlib.metadata.version("implicit"))
