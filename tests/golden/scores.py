"""Writes scores.json.gz beside itself: scikit-learn's scores of 1,000 random gradings.

The tests make the same gradings from their numbers (tests/it/evaluation.rs). Null where scikit-learn has no answer. Needs
scikit-learn.
"""

import gzip
import json
import math
import pathlib
import warnings

import numpy as np
from sklearn import metrics

GRADES = range(5)


class Chance:
    """Knuth's linear congruential generator (MMIX); evenly from 0 to 1."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 40) / 2**24


def grading(number):
    """What a reader says of each knee, and five probabilities as 32-bit numbers. Some have many ties, some lack grades."""
    chance = Chance(number)
    truth, probabilities = [], []
    levels = 4 if number % 3 == 0 else 1000
    for _ in range(2 + int(chance.next() * 150)):
        grade = int(chance.next() * 5)
        grade = {0: 1 + grade % 2 * 2, 1: 2}.get(number % 7, grade)
        bonus = chance.next() * (number % 5)
        scores = [1 + int(levels * (chance.next() + (bonus if g == grade else 0))) for g in GRADES]
        truth.append(grade)
        probabilities.append([np.float32(score / sum(scores)) for score in scores])
    return np.array(truth), np.array(probabilities, dtype=np.float64)


def number(value):
    """As JSON has it."""
    return None if value is None or math.isnan(value) else float(f"{value:.10g}")


def scores(truth, p):
    answer = p.argmax(axis=1)
    told = dict(y_true=truth, y_pred=answer)
    each = {"labels": list(GRADES), "average": None, "zero_division": np.nan}
    is_grade = [truth == g for g in GRADES]
    both = [bool(is_g.any() and not is_g.all()) for is_g in is_grade]
    of_truth = p[np.arange(len(p)), truth]
    sure, right = p.max(axis=1), answer == truth
    bins = np.minimum((sure * 15).astype(int), 14)
    return {
        "confusion": metrics.confusion_matrix(**told, labels=list(GRADES)).ravel().tolist(),
        "accuracy": number(metrics.accuracy_score(**told)),
        "macro_f1": number(metrics.f1_score(**told, average="macro")),
        # all five labels, or grades that nobody says would not count in the distance between others
        "quadratic_kappa": number(metrics.cohen_kappa_score(truth, answer, labels=list(GRADES), weights="quadratic")),
        "mean_absolute_error": number(metrics.mean_absolute_error(**told)),
        "recall": [number(v) for v in metrics.recall_score(**told, **each)],
        "precision": [number(v) for v in metrics.precision_score(**told, **each)],
        "roc_auc": [number(metrics.roc_auc_score(is_grade[g], p[:, g])) if both[g] else None for g in GRADES],
        "average_precision": [
            number(metrics.average_precision_score(is_grade[g], p[:, g])) if both[g] else None for g in GRADES
        ],
        # scikit-learn has these two for two classes or for sums of exactly one only: from their definitions
        "log_loss": number(-np.log(of_truth).mean()),
        "brier": number(((p - np.eye(5)[truth]) ** 2).sum(axis=1).mean()),
        "calibration_error": number(sum(abs(sure[bins == b].sum() - right[bins == b].sum()) for b in range(15)) / len(p)),
    }


def main():
    warnings.simplefilter("ignore")
    all_scores = [scores(*grading(number)) for number in range(1000)]
    path = pathlib.Path(__file__).with_name("scores.json.gz")
    with open(path, "wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as out:
        out.write(json.dumps(all_scores, separators=(",", ":")).encode())


if __name__ == "__main__":
    main()
