"""Training and serving by implicit, for peers.sh.

    implicit_models.py PAIRS cosine|als ROUNDS

PAIRS has user and item numbers, one pair a line.  Trains ROUNDS times, asks for the ten best items of
random users one by one and then of all users in one call, and prints a name and a figure a line:
milliseconds of training and of all users, microseconds of one user, how many items all lists have,
kilobytes of the process at its largest.
"""
import importlib.metadata
import os
import resource
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import scipy.sparse as sp

CALLS = 3000 if sys.argv[2] == "cosine" else 300
WARM = 50


def make(name):
    if name == "cosine":
        from implicit.nearest_neighbours import CosineRecommender

        # the first neighbor of an item is itself
        return CosineRecommender(K=101)
    from implicit.als import AlternatingLeastSquares

    return AlternatingLeastSquares(factors=128, iterations=16, random_state=1)


pairs = np.loadtxt(sys.argv[1], dtype=np.int32)
histories = sp.csr_matrix((np.ones(len(pairs), dtype=np.float32), (pairs[:, 0], pairs[:, 1])))
# numbers of users that nobody has are nobody
users = np.flatnonzero(np.diff(histories.indptr))
for _ in range(int(sys.argv[3])):
    model = make(sys.argv[2])
    start = time.perf_counter()
    model.fit(histories, show_progress=False)
    print("train", (time.perf_counter() - start) * 1e3, flush=True)

# a factor model computes the user's factor anew, as recsys does: what has just been done counts
asked = np.random.default_rng(1).choice(users, CALLS + WARM)
options = {"recalculate_user": True} if sys.argv[2] == "als" else {}
spent = []
# to share the work for one user between threads takes more time than the work
model.num_threads = 1
for user in asked:
    start = time.perf_counter()
    model.recommend(int(user), histories[user], N=10, **options)
    spent.append((time.perf_counter() - start) * 1e6)
spent = sorted(spent[WARM:])
print("p50", spent[CALLS // 2])
print("p99", spent[CALLS * 99 // 100])

model.num_threads = 0
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    items, _scores = model.recommend(users, histories[users], N=10)
    print("all", (time.perf_counter() - start) * 1e3, flush=True)
print("lists", (items >= 0).sum())
print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print("version", importlib.metadata.version("implicit"))
