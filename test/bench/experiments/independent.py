"""The comparisons of hillstrom.sql and cookie_cats.sql from the rows, by SciPy and statsmodels.

    independent.py NAME DATA OURS

What at a fixed time SciPy and statsmodels know is theirs: Welch's test, two proportions, chi-square.
Ratios are linearised and adjusted means are residuals, so that Welch's test applies to them.  Lifts
and intervals at all times are written down here from the papers' formulas, in NumPy.
"""
import csv
import sys

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

ALPHA = 0.05
EXPECTED_UNITS = 20000


def welch(a, b):
    test = stats.ttest_ind(b, a, equal_var=False)
    interval = test.confidence_interval(1 - ALPHA)
    return b.mean() - a.mean(), interval.low, interval.high, test.pvalue, test.df


def sequential(estimate, error, n):
    """Waudby-Smith et al. 2021, equation 9, rho for EXPECTED_UNITS; p from the martingale."""
    rho2 = (-2 * np.log(ALPHA) + np.log(1 - 2 * np.log(ALPHA))) / EXPECTED_UNITS
    t = n * rho2 + 1
    half = error * np.sqrt(n) * np.sqrt(2 * t / (n ** 2 * rho2) * np.log(np.sqrt(t) / ALPHA))
    log_e = rho2 * n * (estimate / error) ** 2 / (2 * t) - np.log(t) / 2
    return half, min(1.0, np.exp(-log_e))


def compare(a, b, kind, mean_a, unadjusted_lift, scale, method):
    """a, b: a number a unit, whose means are the arms' metrics and whose variances are theirs"""
    ddof = 0 if kind == "proportion" else 1
    va, vb, n = a.var(ddof=ddof) / len(a), b.var(ddof=ddof) / len(b), len(a) + len(b)
    difference, error = b.mean() - a.mean(), np.sqrt(va + vb)
    estimate, own_error = difference, error
    if scale == "lift":
        # the control is in the difference and below the line: covariances from the units themselves
        estimate = difference / mean_a[0]
        own_error = np.sqrt(vb / mean_a[0] ** 2 + np.var(
            (a - a.mean()) / mean_a[0] + unadjusted_lift * (mean_a[1] - mean_a[0]) / mean_a[0], ddof=ddof) / len(a))
    if method == "sequential":
        half, p_difference = sequential(difference, error, n)
        if scale == "difference":
            return difference, difference - half, difference + half, p_difference
        half, p = sequential(estimate, own_error, n)
    elif kind == "proportion":
        count, size = np.array([b.sum(), a.sum()]), np.array([len(b), len(a)])
        p = p_difference = proportions_ztest(count, size)[1]
        if scale == "difference":
            return (difference, *confint_proportions_2indep(count[0], size[0], count[1], size[1], compare="diff",
                                                            method="wald", alpha=ALPHA), p)
        half = stats.norm.isf(ALPHA / 2) * own_error
    else:
        _, low, high, p_difference, df = welch(a, b)
        if scale == "difference":
            return difference, low, high, p_difference
        half, p = stats.t.isf(ALPHA / 2, df) * own_error, 2 * stats.t.sf(abs(estimate) / own_error, df)
    # a lift is found only where the difference is
    low, high = estimate - half, estimate + half
    if p_difference >= ALPHA:
        low, high = min(low, 0), max(high, 0)
    return estimate, low, high, max(p, p_difference)


def units(control, treatment, metric):
    """Numbers a unit of both arms, and the control's metric: its mean, and a number a unit"""
    if metric == "spend adjusted":
        y = np.concatenate([control.spend, treatment.spend])
        x = np.concatenate([control.history, treatment.history])
        theta = np.cov(y, x)[0, 1] / x.var(ddof=1)
        return (control.spend - theta * control.history, treatment.spend - theta * treatment.history,
                (control.spend.mean(), control.spend), treatment.spend.mean() / control.spend.mean() - 1)
    if metric == "spend by visit":
        arms = [arm.spend.sum() / arm.visit.sum() + (arm.spend - arm.spend.sum() / arm.visit.sum() * arm.visit)
                / arm.visit.mean() for arm in (control, treatment)]
    else:
        arms = [control[metric], treatment[metric]]
    return arms[0], arms[1], (arms[0].mean(), arms[0]), arms[1].mean() / arms[0].mean() - 1


def load(name, path):
    data = pd.read_csv(path)
    if name == "hillstrom":
        return data.rename(columns={"segment": "arm", "channel": "part"}), "No E-Mail"
    data = data.rename(columns={"version": "arm", "retention_1": "retention after 1 day",
                                "retention_7": "retention after 7 days", "sum_gamerounds": "rounds"})
    cap = np.sort(data.rounds)[int(np.ceil(0.99 * len(data))) - 1]
    data["rounds winsorised"] = np.minimum(data.rounds, cap)
    data["part"] = "all"
    return data.astype({"retention after 1 day": int, "retention after 7 days": int}), "gate_30"


def main():
    name, path, ours = sys.argv[1:]
    data, control_name = load(name, path)
    worst = 0.0
    form = "{:13} {:22} {:14} {:10} {:10} {:>11} {:>11} {:>11} {:>10}   {:>11} {:>11} {:>11} {:>10}"
    print(form.format(name, "metric", "arm", "scale", "method", "recsys", "low", "high", "p", "python", "low", "high", "p"))
    for row in csv.DictReader(open(ours)):
        if row["metric"] == "sample ratio":
            test = stats.chisquare(data.arm.value_counts())
            mine = [float(row["control"]), float(row["p_value"])]
            theirs = [test.statistic, test.pvalue]
            print("{:13} sample ratio: chi-square {:.6f} p {:.6f}, python {:.6f} p {:.6f}".format("all", *mine, *theirs))
        else:
            part = data if row["part"] == "all" else data[data.part == row["part"]]
            a, b, mean_a, lift = units(part[part.arm == control_name], part[part.arm == row["arm"]], row["metric"])
            kind = "proportion" if row["metric"] in ("visit", "conversion") or "retention" in row["metric"] else "mean"
            mine = [float(row[c]) for c in ("difference", "ci_low", "ci_high", "p_value")]
            theirs = compare(a.to_numpy(), b.to_numpy(), kind, (mean_a[0], mean_a[1].to_numpy()), lift, row["scale"], row["method"])
            print(form.format(row["part"], row["metric"], row["arm"], row["scale"], row["method"],
                              *("%.7f" % x for x in (*mine, *theirs))))
        worst = max(worst, *(abs(x - y) for x, y in zip(mine, theirs)))
    print("{}: largest difference {:.1e}".format(name, worst))
    return int(worst > 1e-9)


sys.exit(main())
