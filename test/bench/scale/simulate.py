#!/usr/bin/env python3
"""What a shop of a given size would take, from measured constants: prints Markdown tables.

    test/bench/scale/simulate.py [name=value ...]

The shop:
    users=1e8 items=1e7 interactions=1e10 years=3   rows came evenly over so many years
    sigma=1.1               deviation of the logarithm of history lengths (test/bench/generate.c)
    exponent=1.2 offset=50  popularity of the item of rank r: 1 / (r + offset) ^ exponent
    nodes=16 shards=128     shards in all; cores=16 of a node, network=10 Gbit/s into a node
    shares=100,10,5,1       per cent of the users that the item graph is trained from
    neighbors=100 max_history=2000 time=0   time=1: with a column of times
Constants: the names in CONSTANTS below, as test/bench/scale.sh constants prints them.

There are no dependencies.  Nothing here is measured: it is arithmetic, and its formulas are in the code.
"""
import math
import sys
from statistics import NormalDist

SHOP = dict(users=1e8, items=1e7, interactions=1e10, years=3, sigma=1.1, exponent=1.2, offset=50,
            nodes=16, shards=128, cores=16, network=10, neighbors=100, max_history=2000, time=0)

CONSTANTS = dict(
    user_entry=10.9, user_owner=47.3,   # bytes of the user side: an interaction, a user
    item_entry=10.9, item_owner=47.3,   # of the item side: an interaction, an item
    heap_row=44.3,                      # bytes of a row of the table with two bigint columns
    row_bytes=1043,                     # of a row of the graph with 100 neighbors and 25 spare ones
    fast_updates=1690, slow_updates=379,    # millions a second and core: 27,000 items; a million, 600,000 of them in use
    build_us=0.40,                      # microseconds an interaction to build both sides
    list_us=9.3, item_us=0.16, large_item_us=0.48,  # of a list: fixed; an item of the history; of a million items
    row_sent=26.0, array_sent=12.5, array_packed=3.0,   # bytes an interaction that leave a node
    fetch_us=0.54,                      # microseconds an interaction and connection to fetch arrays
    counts_sent=911,                    # bytes an interaction if counts were moved: 57 pairs of 16 bytes
    insert_rate=15876,                  # rows a second and client, one by one
    bulk_inserts=395000, merged_events=20800,   # a second
    merge_budget=20e6,                  # pair updates of one merge: the setting's default
    ssd_us=100)                         # a random read


def parse(arguments):
    values, shares = dict(SHOP, **CONSTANTS), [100, 10, 5, 1]
    for argument in arguments:
        name, _, value = argument.partition('=')
        if name == 'shares':
            shares = [float(share) for share in value.split(',')]
        elif name in values:
            values[name] = float(value)
        elif name != 'exact_merge_s':
            sys.exit(__doc__)
    return values, shares


def histories(v, cells=20000):
    """Mean, squares and what max_history leaves of log-normal history lengths."""
    mean, normal = v['interactions'] / v['users'], NormalDist()
    lengths = [math.exp(v['sigma'] * normal.inv_cdf((c + 0.5) / cells)) for c in range(cells)]
    scale = mean / (sum(lengths) / cells)
    lengths = [max(1, length * scale) for length in lengths]
    counting = [min(length, v['max_history']) for length in lengths]
    return dict(mean=mean, median=lengths[cells // 2], p99=lengths[cells * 99 // 100],
                squares=sum(c * c for c in counting) / cells, all_squares=sum(n * n for n in lengths) / cells,
                kept=sum(counting) / sum(lengths))


def popularity(v, cells=4000):
    """(number of items, users of each) in steps of ranks, most popular first."""
    ranks = [0.0] + [10 ** (math.log10(v['items']) * c / cells) for c in range(cells + 1)]
    steps = [(b - a, (a + b) / 2) for a, b in zip(ranks, ranks[1:])]
    weights = [(n, (r + v['offset']) ** -v['exponent']) for n, r in steps]
    total = sum(n * w for n, w in weights)
    return [(n, min(v['users'], v['interactions'] * w / total)) for n, w in weights]


def quantity(x, unit=''):
    for limit, name in ((1e15, 'P'), (1e12, 'T'), (1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if x >= limit:
            return '%.3g %s%s' % (x / limit, name, unit)
    return ('%.3g %s' % (x, unit)).strip()


def duration(s):
    for limit, name in ((86400 * 2, 'd'), (3600 * 2, 'h'), (60 * 2, 'min'), (1, 's'), (1e-3, 'ms')):
        if s >= limit:
            return '%.3g %s' % (s / dict(d=86400, h=3600, min=60, s=1, ms=1e-3)[name], name)
    return '%.3g µs' % (s * 1e6)


def table(head, rows):
    print('| ' + ' | '.join(head) + ' |')
    print('|' + '---|' * len(head))
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')
    print()


def main():
    v, shares = parse(sys.argv[1:])
    h, items = histories(v), popularity(v)
    n, nodes, shards = v['interactions'], v['nodes'], v['shards']
    entry = 16 if v['time'] else 0
    users_side = n * (v['user_entry'] + entry / 2) + v['users'] * v['user_owner']
    owners = shards * sum(count * -math.expm1(-users / shards) for count, users in items)
    items_side = n * v['item_entry'] + owners * v['item_owner']
    graph = v['items'] * v['row_bytes'] * v['neighbors'] / 100
    heap = n * (v['heap_row'] + entry / 2)
    updates = v['users'] * h['squares']
    longest = items[0][1]

    def users_at(share):
        seen = 0
        for count, users in items:
            seen += count
            if seen >= share * v['items']:
                return users

    print('%s users, %s items, %s interactions, %d nodes with %d cores and %g Gbit/s, %d shards\n' % (
        quantity(v['users']), quantity(v['items']), quantity(n), nodes, v['cores'], v['network'], shards))
    table(['the data', ''], [
        ['items of a user: mean, median, p99', '%.0f, %.0f, %.0f' % (h['mean'], h['median'], h['p99'])],
        ['users of an item: mean, median, most', '%.0f, %.0f, %s' % (n / v['items'], users_at(0.5), quantity(longest))],
        ['pair updates an interaction, of histories up to %d' % v['max_history'], '%.0f' % (h['squares'] / h['mean'])],
        ['the same of all histories', '%.0f' % (h['all_squares'] / h['mean'])],
        ['new interactions a second, mean', '%.0f' % (n / v['years'] / 365 / 86400)]])

    table(['bytes', 'in all', 'of a node'], [
        ['table', quantity(heap, 'B'), quantity(heap / nodes, 'B')],
        ['histories (user side)', quantity(users_side, 'B'), quantity(users_side / nodes, 'B')],
        ['users of items (item side)', quantity(items_side, 'B'), quantity(items_side / nodes, 'B')],
        ['item graph, one on each node', quantity(graph * nodes, 'B'), quantity(graph, 'B')],
        ['item graph, one of each shard', quantity(graph * shards, 'B'), quantity(graph * shards / nodes, 'B')],
        ['to serve from memory: histories and graph', quantity(users_side + graph * nodes, 'B'),
         quantity(users_side / nodes + graph, 'B')]])

    head = ['one training, users sampled'] + ['%g %%' % share for share in shares]
    fractions = [share / 100 for share in shares]

    def each(name, function):
        return [name] + [function(f) for f in fractions]

    wire = v['network'] * 1e9 / 8
    away = 1 - 1 / nodes
    table(head, [
        each('pair updates in all', lambda f: quantity(updates * f)),
        each('seconds of a node, fast kernel', lambda f: duration(updates * f / nodes / v['cores'] / v['fast_updates'] / 1e6)),
        each('the same, large catalogue', lambda f: duration(updates * f / nodes / v['cores'] / v['slow_updates'] / 1e6)),
        each('memory for histories on a node (4 bytes each)', lambda f: quantity(n * f * h['kept'] * 4, 'B')),
        each('counters of a node, 4 bytes an item and core', lambda f: quantity(v['items'] * 4 * v['cores'], 'B')),
        each('into a node: histories as arrays', lambda f: quantity(n * f * away * v['array_sent'], 'B')),
        each('the same, compressed', lambda f: quantity(n * f * away * v['array_packed'], 'B')),
        each('the same as rows', lambda f: quantity(n * f * away * v['row_sent'], 'B')),
        each('the same as counts', lambda f: quantity(n * f * away * v['counts_sent'], 'B')),
        each('arrays on the wire', lambda f: duration(n * f * away * v['array_sent'] / wire)),
        each('arrays fetched, one connection', lambda f: duration(n * f * v['fetch_us'] / 1e6)),
        each('arrays fetched, a connection a core', lambda f: duration(n * f * v['fetch_us'] / 1e6 / v['cores'])),
        each('graph into a node, on the wire', lambda f: duration(graph * away / wire)),
        each('users of the median item, in the sample', lambda f: '%.1f' % (users_at(0.5) * f)),
        each('items with fewer than 20 users in it', lambda f: '%.0f %%' % (
            100 * sum(c for c, u in items if u * f < 20) / v['items'])),
        each('interactions with them', lambda f: '%.1f %%' % (
            100 * sum(c * u for c, u in items if u * f < 20) / sum(c * u for c, u in items)))])

    everything = sum(c * u for c, u in items)
    table(['each row from at most so many users', 'pair updates in all', 'of all', 'error of a pair that a tenth of them have'], [
        ['%d' % most, quantity(updates * sum(c * min(u, most) for c, u in items) / everything),
         '%.0f %%' % (100 * sum(c * min(u, most) for c, u in items) / everything), '%.0f %%' % (100 / math.sqrt(most / 10))]
        for most in (100, 1000, 10000)])

    table(['serving and keeping it fresh', ''], [
        ['a list, mean history, graph in the cache', duration((v['list_us'] + h['mean'] * v['item_us']) / 1e6)],
        ['the same, graph in memory', duration((v['list_us'] + h['mean'] * v['large_item_us']) / 1e6)],
        ['the same, p99 history', duration((v['list_us'] + h['p99'] * v['large_item_us']) / 1e6)],
        ['the same, every row read from a disk', duration((v['list_us'] + h['mean'] * v['ssd_us']) / 1e6)],
        ['lists a second of a node, all cores', quantity(v['cores'] * 1e6 / (v['list_us'] + h['mean'] * v['large_item_us']))],
        ['inserts a second of a node: mean, one client can', '%.0f, %s' % (
            n / v['years'] / 365 / 86400 / nodes, quantity(v['insert_rate']))],
        ['events a second that a merge takes', quantity(v['merged_events'])],
        ['pair updates to count the most popular item anew', quantity(longest * h['squares'] / h['mean'])],
        ['items beyond the budget of a merge', quantity(sum(
            c for c, u in items if u * h['squares'] / h['mean'] > v['merge_budget']))],
        ['CREATE INDEX of histories, a node, all cores', duration(n / nodes * v['build_us'] / v['cores'] / 1e6)]])


if __name__ == '__main__':
    main()
