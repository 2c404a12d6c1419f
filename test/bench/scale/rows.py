#!/usr/bin/env python3
"""Item graphs whose rows are counted on at most so many users each: recall@20 against the work.

    test/bench/scale/rows.py FOLDER

FOLDER has real data as test/bench/scale.sh reads them.  Needs numpy and scipy.

A row of the graph needs the users of its item, and all that these have.  Here they are at most so many,
those with the lowest of random numbers, which are the same for all items.  Numbers of users, by which
a cosine divides, are those of all users: they are cheap to count.  Shrinkage takes the users seen.  Work is the number of pair updates.
"""
import csv
import gzip
import io
import os
import sys

import numpy as np
from scipy import sparse

NEIGHBORS, PLACES, SHRINKAGE = 100, 20, 10


def lines(path):
    users, items = [], []
    for user, line in enumerate(gzip.open(path, 'rt')):
        for item in line.split()[1:]:
            users.append(user)
            items.append(int(item))
    return np.array(users), np.array(items)


def gowalla(folder):
    parts = [lines(os.path.join(folder, 'gowalla', name + '.txt.gz')) for name in ('train', 'valid', 'test')]
    train = [np.concatenate([parts[0][x], parts[1][x]]) for x in (0, 1)]
    return train, parts[2]


def beauty(folder):
    users, items = lines(os.path.join(folder, 'amazon_beauty', 'Beauty.txt.gz'))
    last = np.append(users[1:] != users[:-1], True)
    return (users[~last], items[~last]), (users[last], items[last])


def retail(folder):
    with gzip.open(os.path.join(folder, 'online_retail', 'online_retail_II.csv.gz'), 'rt', encoding='utf-8', errors='replace') as file:
        rows = list(csv.reader(io.StringIO(file.read())))[1:]
    times = np.array([row[4] for row in rows], dtype='datetime64[s]').astype(np.int64)
    cut = times.min() + 0.8 * (times.max() - times.min())
    chosen = [x for x, row in enumerate(rows) if row[6] and float(row[3]) > 0]
    users = np.unique([rows[x][6] for x in chosen], return_inverse=True)[1]
    items = np.unique([rows[x][1] for x in chosen], return_inverse=True)[1]
    late = times[chosen] >= cut
    early = set(zip(users[~late], items[~late]))
    held = np.array(sorted(set(zip(users[late], items[late])) - early)).T
    return (users[~late], items[~late]), (held[0], held[1])


def matrix(pairs, shape):
    m = sparse.csr_matrix((np.ones(len(pairs[0]), dtype=np.float32), pairs), shape=shape)
    m.data[:] = 1
    return m


def graph(train, most, rank):
    """Best neighbors of each item from at most so many of its users; and the work."""
    users = np.asarray(train.sum(axis=0)).ravel()
    lengths = np.asarray(train.sum(axis=1)).ravel()
    columns = train.tocsc()
    work, peers, scores = 0, [], []
    for item in range(train.shape[1]):
        whose = columns.indices[columns.indptr[item]:columns.indptr[item + 1]]
        if len(whose) > most:
            whose = whose[np.argpartition(rank[whose], most)[:most]]
        work += lengths[whose].sum()
        support = np.asarray(train[whose].sum(axis=0)).ravel()
        others = np.flatnonzero(support)
        others = others[others != item]
        seen = support[others]
        score = seen * max(1, users[item] / most) / np.sqrt(users[item] * users[others]) * seen / (seen + SHRINKAGE)
        best = np.lexsort((others, -score))[:NEIGHBORS]
        peers.append(others[best])
        scores.append(score[best])
    return work, peers, scores


def recall(train, held, peers, scores):
    starts = np.cumsum([0] + [len(p) for p in peers])
    g = sparse.csr_matrix((np.concatenate(scores), np.concatenate(peers), starts), shape=(train.shape[1],) * 2)
    figures = []
    for user in np.flatnonzero(np.diff(held.indptr)):
        has = train.indices[train.indptr[user]:train.indptr[user + 1]]
        wanted = held.indices[held.indptr[user]:held.indptr[user + 1]]
        if len(has) == 0:
            continue
        sums = np.asarray(g[has].sum(axis=0)).ravel()
        sums[has] = 0
        top = np.argpartition(-sums, PLACES)[:PLACES]
        figures.append(np.isin(wanted, top[sums[top] > 0]).mean())
    return np.mean(figures)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for name, read in (('Online Retail II', retail), ('Amazon Beauty', beauty), ('Gowalla', gowalla)):
        train, held = read(sys.argv[1])
        shape = [max(train[x].max(), held[x].max()) + 1 for x in (0, 1)]
        train, held = matrix(train, shape), matrix(held, shape)
        rank = np.random.default_rng(1).random(shape[0])
        print('\n%s\n\n| users a row, at most | pair updates | of all | recall@20 |\n|---|---|---|---|' % name)
        everything = None
        for most in (10 ** 9, 20, 50, 100, 200):
            work, peers, scores = graph(train, most, rank)
            everything = everything or work
            print('| %s | %.1e | %.0f %% | %.4f |' % (
                most if most < 10 ** 9 else 'all', work, 100 * work / everything, recall(train, held, peers, scores)), flush=True)


if __name__ == '__main__':
    main()
