"""Item sets and rules by libraries for Python, for peers.sh.

    baskets.py PAIRS pyfim|mlxtend|efficient-apriori SUPPORT CONFIDENCE ROUNDS

PAIRS has basket and item numbers, one pair a line; SUPPORT is a share of the baskets.  Prints a name and a
figure a line: milliseconds for all item sets and for all rules with one item on the right side,
how many there are, kilobytes of the process at its largest.  Time begins with the baskets in memory, in
the form that the library asks for.
"""
import importlib.metadata
import resource
import sys
import time
from collections import defaultdict


def read(path):
    baskets = defaultdict(list)
    with open(path) as file:
        for line in file:
            basket, item = line.split()
            baskets[basket].append(int(item))
    return list(baskets.values())


def pyfim(baskets, support, confidence):
    import fim

    def sets():
        return len(fim.fpgrowth(baskets, target="s", supp=support * 100, report="a"))

    def rules():
        return len(fim.arules(baskets, supp=support * 100, conf=confidence * 100, zmin=2, mode="o"))

    return sets, rules


def mlxtend(baskets, support, confidence):
    import pandas
    from mlxtend.frequent_patterns import association_rules, fpgrowth
    from mlxtend.preprocessing import TransactionEncoder

    encoder = TransactionEncoder()
    table = pandas.DataFrame.sparse.from_spmatrix(encoder.fit(baskets).transform(baskets, sparse=True))
    table.columns = [str(column) for column in encoder.columns_]

    def sets():
        return len(fpgrowth(table, min_support=support))

    def rules():
        found = association_rules(fpgrowth(table, min_support=support), metric="confidence", min_threshold=confidence)
        return sum(len(right) == 1 for right in found["consequents"])

    return sets, rules


def efficient_apriori(baskets, support, confidence):
    from efficient_apriori import apriori, itemsets_from_transactions

    rows = [tuple(basket) for basket in baskets]

    def sets():
        found, _ = itemsets_from_transactions(rows, support)
        return sum(len(of_length) for of_length in found.values())

    def rules():
        _, found = apriori(rows, min_support=support, min_confidence=confidence)
        return sum(len(rule.rhs) == 1 for rule in found)

    return sets, rules


makers = {"pyfim": pyfim, "mlxtend": mlxtend, "efficient-apriori": efficient_apriori}
path, library, support, confidence, rounds = sys.argv[1:]
for name, run in zip(("sets", "rules"), makers[library](read(path), float(support), float(confidence))):
    for _ in range(int(rounds)):
        start = time.perf_counter()
        count = run()
        print(name, (time.perf_counter() - start) * 1e3, flush=True)
    print(name + "_found", count)
print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print("version", importlib.metadata.version(library))
