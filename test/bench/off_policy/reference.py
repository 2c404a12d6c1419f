"""The Open Bandit Dataset by a public implementation, obp (zr-obp, Saito et al. 2021).

    python reference.py DIRECTORY CAMPAIGN OUTPUT RESAMPLES SEEDS

Reads {random,bts}-CAMPAIGN.csv.gz of the directory.  Writes OUTPUT/rows-CAMPAIGN.csv, the rows of the
uniformly random log with the probability that Thompson sampling shows the item there, once for each
way to know that probability; and OUTPUT/obp-CAMPAIGN.csv with the values and intervals of obp on
the same rows:

  priors    obp's BernoulliTS with the campaign's published priors, by 100,000 draws, as in its
            quickstart
  log       the share that the item has of the impressions at its position in Thompson's own log

Where obp cannot be imported, its estimators are written out below from its paper, the table says so,
and there are no priors.  torch and plotting libraries, which obp imports and does not use here, are
stood in for when they are missing.
"""

import csv
import gzip
import importlib
import importlib.abc
import importlib.machinery
import sys
import types

import numpy as np

ABSENT = ("torch", "matplotlib", "seaborn", "pyieoe")
LEVEL = 0.05
DRAWS = 100000
FOLDS = 5


class Absent(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name[0].isupper():
            return type(name, (object,), {})
        return importlib.import_module(self.__name__ + "." + name)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Comes last: what is installed is taken."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Absent(spec.name)

    def exec_module(self, module):
        pass


def load_obp():
    sys.meta_path.append(Finder())
    try:
        import obp
        import obp.ope
        import obp.policy
        return obp
    except Exception as error:
        print(f"obp cannot be imported ({error}); its estimators are written out", file=sys.stderr)
        return None


def read_log(path):
    with gzip.open(path, "rt") as source:
        rows = list(csv.DictReader(source))
    log = {name: np.array([kind(row[name]) for row in rows])
           for name, kind in (("item_id", int), ("position", int), ("click", int), ("propensity_score", float))}
    log["position"] -= 1
    features = [name for name in rows[0] if name.startswith("user_feature")]
    values = {name: sorted({row[name] for row in rows}) for name in features}
    log["context"] = np.array([[float(row[name] == value) for name in features for value in values[name][1:]]
                               for row in rows])
    return log


def shares_of_log(log, items, positions):
    counts = np.zeros((items, positions))
    np.add.at(counts, (log["item_id"], log["position"]), 1)
    return counts / counts.sum(axis=0)


def shares_of_priors(obp, campaign, items, positions):
    policy = obp.policy.BernoulliTS(n_actions=items, len_list=positions, is_zozotown_prior=True,
                                    campaign=campaign, random_state=12345)
    return policy.compute_batch_action_dist(n_sim=DRAWS, n_rounds=1)[0]


class WrittenOut:
    """The same formulas: means of a value for each row, with a percentile bootstrap of these values."""

    name = "numpy"

    def rewards(self, estimator, log, shares, expected):
        n = len(log["click"])
        weights = shares[log["item_id"], log["position"]] / log["propensity_score"]
        if estimator == "ips":
            return weights * log["click"]
        if estimator == "snips":
            return weights * log["click"] / weights.mean()
        here = expected[np.arange(n), :, log["position"]]
        target = (here * shares[:, log["position"]].T).sum(axis=1) / shares[:, log["position"]].sum(axis=0)
        return target + weights * (log["click"] - here[np.arange(n), log["item_id"]])

    def expected(self, log, items, positions, seed):
        """Means of items, of the other folds, towards that of all rows as if by 100 more rows."""
        n = len(log["click"])
        fold = np.random.RandomState(seed).randint(FOLDS, size=n)
        expected = np.zeros((n, items, positions))
        for f in range(FOLDS):
            train = fold != f
            mean = log["click"][train].mean()
            count = np.bincount(log["item_id"][train], minlength=items)
            clicks = np.bincount(log["item_id"][train], weights=log["click"][train], minlength=items)
            expected[fold == f] = ((clicks + 100 * mean) / (count + 100))[:, None]
        return expected

    def estimate(self, estimator, log, shares, expected, resamples, seed):
        values = self.rewards(estimator, log, shares, expected)
        random = np.random.RandomState(seed)
        means = [random.choice(values, size=len(values)).mean() for _ in range(resamples)]
        return values.mean(), np.percentile(means, 100 * LEVEL / 2), np.percentile(means, 100 * (1 - LEVEL / 2))


class ByObp:
    name = "obp"

    def __init__(self, obp):
        ope = obp.ope
        self.ope = ope
        self.estimators = {"ips": ope.InverseProbabilityWeighting(),
                           "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
                           "dr": ope.DoublyRobust()}

    def expected(self, log, items, positions, seed):
        """obp's RegressionModel: logistic regression on users' features and items, cross-fitted."""
        from sklearn.linear_model import LogisticRegression
        model = self.ope.RegressionModel(n_actions=items, len_list=positions, action_context=np.eye(items),
                                         base_model=LogisticRegression(max_iter=1000, C=1.0))
        return model.fit_predict(context=log["context"], action=log["item_id"], reward=log["click"],
                                 pscore=log["propensity_score"], position=log["position"],
                                 n_folds=FOLDS, random_state=seed)

    def estimate(self, estimator, log, shares, expected, resamples, seed):
        n = len(log["click"])
        given = {"reward": log["click"], "action": log["item_id"], "position": log["position"],
                 "pscore": log["propensity_score"], "action_dist": np.repeat(shares[None], n, axis=0)}
        if estimator == "dr":
            given["estimated_rewards_by_reg_model"] = expected
        value = self.estimators[estimator].estimate_policy_value(**given)
        interval = self.estimators[estimator].estimate_interval(
            **given, alpha=LEVEL, n_bootstrap_samples=resamples, random_state=seed)
        return (value, interval[f"{100 * (1. - LEVEL)}% CI (lower)"], interval[f"{100 * (1. - LEVEL)}% CI (upper)"])


def at_position(log, expected, position):
    if position is None:
        return log, expected
    rows = log["position"] == position
    return {name: values[rows] for name, values in log.items()}, expected[rows]


def main(directory, campaign, output, resamples, seeds):
    obp = load_obp()
    public = WrittenOut() if obp is None else ByObp(obp)
    random = read_log(f"{directory}/random-{campaign}.csv.gz")
    thompson = read_log(f"{directory}/bts-{campaign}.csv.gz")
    items = int(max(random["item_id"].max(), thompson["item_id"].max())) + 1
    positions = int(random["position"].max()) + 1
    ways = {"log": shares_of_log(thompson, items, positions)}
    if obp is not None:
        ways["priors"] = shares_of_priors(obp, campaign, items, positions)

    with open(f"{output}/rows-{campaign}.csv", "w", newline="") as file:
        out = csv.writer(file)
        for way, shares in ways.items():
            for item, position, click, propensity in zip(random["item_id"], random["position"],
                                                         random["click"], random["propensity_score"]):
                out.writerow([way, item, position + 1, click, repr(float(propensity)),
                              repr(float(shares[item, position]))])
    expected = public.expected(random, items, positions, 12345)
    with open(f"{output}/obp-{campaign}.csv", "w", newline="") as file:
        out = csv.writer(file)
        for position in [None] + list(range(positions)):
            log, there = at_position(random, expected, position)
            own = at_position(thompson, np.zeros(len(thompson["click"])), position)[0]["click"]
            for way, shares in ways.items():
                for estimator in ("ips", "snips", "dr"):
                    found = np.array([public.estimate(estimator, log, shares, there, resamples, seed)
                                      for seed in range(seeds)])
                    value, low, high = found.mean(axis=0)
                    out.writerow([public.name, way, "" if position is None else position + 1, estimator,
                                  own.mean(), len(own), value, low, high])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
