"""Training and serving by LensKit, for peers.sh.

    lenskit_models.py PAIRS cosine|als ROUNDS

What is printed is that of implicit_models.py.
"""
import importlib.metadata
import resource
import sys
import time

import numpy as np
import pandas as pd
from lenskit.als import ImplicitMFScorer
from lenskit.data import from_interactions_df
from lenskit.knn import ItemKNNScorer
from lenskit.pipeline import topn_pipeline
from lenskit import recommend

CALLS = 500
WARM = 50

pairs = np.loadtxt(sys.argv[1], dtype=np.int64)
frame = pd.DataFrame({"user_id": pairs[:, 0], "item_id": pairs[:, 1]})
data = from_interactions_df(frame)
for _ in range(int(sys.argv[3])):
    if sys.argv[2] == "cosine":
        scorer = ItemKNNScorer(max_nbrs=100, save_nbrs=100, feedback="implicit")
    else:
        scorer = ImplicitMFScorer(embedding_size=128, epochs=16)
    pipeline = topn_pipeline(scorer, n=10)
    start = time.perf_counter()
    pipeline.train(data)
    print("train", (time.perf_counter() - start) * 1e3, flush=True)

spent = []
for user in np.random.default_rng(1).choice(np.unique(pairs[:, 0]), CALLS + WARM):
    start = time.perf_counter()
    recommend(pipeline, int(user), n=10)
    spent.append((time.perf_counter() - start) * 1e6)
spent = sorted(spent[WARM:])
print("p50", spent[CALLS // 2])
print("p99", spent[CALLS * 99 // 100])
print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print("version", importlib.metadata.version("lenskit"))
