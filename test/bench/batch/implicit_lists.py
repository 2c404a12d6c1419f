"""The lists of all users by implicit, for batch.sh.

    implicit_lists.py PAIRS ROUNDS THREADS...

PAIRS has user and item numbers, one pair a line.  Trains the cosine model with 100 neighbors and
asks for the ten best items of all users in one call, ROUNDS times for each number of threads, and
prints a line for each: threads, milliseconds.  The last line is "version" and which one it is.
"""
import importlib.metadata
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
for threads in map(int, sys.argv[3:]):
    model = CosineRecommender(K=100, num_threads=threads)
    model.fit(histories, show_progress=False)
    for _ in range(int(sys.argv[2])):
        start = time.perf_counter()
        items, _scores = model.recommend(users, histories[users], N=10)
        print(threads, round((time.perf_counter() - start) * 1000, 3), flush=True)
        assert items.shape == (len(users), 10)
print("version", importlib.metadata.version("implicit"))
