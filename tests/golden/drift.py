"""Writes drift.json beside itself: SciPy's tests of 60 pairs of random samples.

Null where our rules say that there is too little to tell (src/drift/). Needs scipy.
"""

import json
import math
import pathlib

import numpy as np
from scipy import stats


def number(value):
    """As JSON has it."""
    return float(f"{value:.12g}")


def homogeneity(first, second):
    """Pearson's chi-squared without Yates's correction, and Cramer's V; Fisher's test where Cochran's rule forbids it."""
    table = np.array([first, second])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return None
    answer = stats.chi2_contingency(table, correction=False)
    expected, p = answer.expected_freq, answer.pvalue
    if expected.min() < 1 or (expected < 5).mean() > 0.2:
        if table.shape[1] > 2 or least(table) >= 0.01:
            return None
        p = stats.fisher_exact(table).pvalue
    size = stats.contingency.association(table, method="cramer")
    return [number(value) for value in (answer.statistic, p, size)]


def least(table):
    """The least p that Fisher's exact test gives tables of these sums."""
    first, second = table.sum(axis=1)
    kind = table.sum(axis=0)[0]
    counts = range(max(0, kind - second), min(kind, first) + 1)
    return min(stats.fisher_exact([[k, first - k], [kind - k, second - kind + k]]).pvalue for k in counts)


def homogeneity_of_ordered(first, second):
    """The same, the rarest kind joined to the rarer of its neighbours until the rule holds."""
    kinds = [pair for pair in zip(first, second) if sum(pair) > 0]
    while (answer := homogeneity(*zip(*kinds))) is None and len(kinds) > 2:
        sums = [sum(pair) for pair in kinds]
        rarest = sums.index(min(sums))
        beside = [place for place in (rarest - 1, rarest + 1) if 0 <= place < len(kinds)]
        other = min(beside, key=lambda place: sums[place])
        low, high = sorted((rarest, other))
        kinds[low : high + 1] = [(kinds[low][0] + kinds[high][0], kinds[low][1] + kinds[high][1])]
    return answer


def ranks(first, second):
    """Mann and Whitney's U, and the rank-biserial correlation, above 0 where the second sample is higher."""
    if min(len(first), len(second)) < 20 or len(set(first + second)) == 1:
        return None
    answer = stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=True)
    size = 1 - 2 * answer.statistic / (len(first) * len(second))
    return [number(value) for value in (answer.statistic, answer.pvalue, size)]


def holm(p):
    """From its definition: SciPy has none."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate((len(p) - np.arange(len(p))) * np.array(p)[order])
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1)
    return [number(value) for value in adjusted]


def sample(chance, knees, shift):
    """Grades, entropies without ties, agreements with many, and what was published and refused."""
    mix = np.array([0.2, 0.18, 0.3, 0.22, 0.1]) * np.exp(shift * np.arange(5))
    mix[chance.integers(5)] *= chance.integers(2)
    return {
        "grades": chance.multinomial(knees, mix / mix.sum()).tolist(),
        "entropies": [round(float(v), 4) for v in chance.gamma(2, 0.3 + shift / 10, knees)],
        "agreements": [round(float(v) / 8, 3) for v in chance.binomial(8, 0.85 - shift / 10, knees)],
        "published": int(knees) * 20,
        "refused": int(chance.binomial(knees * 20, 0.03 + max(shift, 0) / 20)),
    }


def main():
    chance = np.random.default_rng(7)
    pairs = []
    for number_of_pair in range(60):
        knees = [int(chance.integers(5, 200)) for _ in range(2)]
        shift = 0 if number_of_pair % 3 == 0 else float(chance.normal(0, 0.4))
        first, second = sample(chance, knees[0], 0), sample(chance, knees[1], shift)
        if number_of_pair == 1:  # nothing differs
            first["agreements"], second["agreements"] = [1.0] * knees[0], [1.0] * knees[1]
        tests = {
            "grades": homogeneity_of_ordered(first["grades"], second["grades"]),
            "entropy": ranks(first["entropies"], second["entropies"]),
            "agreement": ranks(first["agreements"], second["agreements"]),
            "refusals": homogeneity(
                [first["published"], first["refused"]], [second["published"], second["refused"]]
            ),
        }
        adjusted = iter(holm([test[1] for test in tests.values() if test]))
        answers = {name: test and test + [next(adjusted)] for name, test in tests.items()}
        assert not any(math.isnan(value) for test in answers.values() if test for value in test)
        pairs.append({"reference": first, "recent": second, "scipy": answers})
    path = pathlib.Path(__file__).with_name("drift.json")
    path.write_text(json.dumps(pairs, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
