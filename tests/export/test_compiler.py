"""The Edge TPU compiler's report and failures, from texts as it prints them."""

from __future__ import annotations

import re

import pytest

from edgeval.export.compiler import argv, explain_failure, parse_report
from edgeval.records.compiled import OperatorRow

WHOLE = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 941 ms.

Input model: small.tflite
Input size: 1.20MiB
Output model: small_edgetpu.tflite
Output size: 1.31MiB
On-chip memory used for caching model parameters: 553.62KiB
On-chip memory remaining for caching model parameters: 7.10MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 31
Operation log: small_edgetpu.log

Operator                       Count      Status

CONV_2D                        15         Mapped to Edge TPU
DEPTHWISE_CONV_2D              13         Mapped to Edge TPU
AVERAGE_POOL_2D                1          Mapped to Edge TPU
RESHAPE                        1          Mapped to Edge TPU
SOFTMAX                        1          Mapped to Edge TPU
Compilation child process completed within timeout period.
Compilation succeeded!
"""
PARTIAL = """Edge TPU Compiler version 16.0.384591198
Model compiled successfully in 2100 ms.
On-chip memory used for caching model parameters: 2.50MiB
Off-chip memory used for streaming uncached model parameters: 1.00KiB
Number of Edge TPU subgraphs: 1
Total number of operations: 157
Operator                       Count      Status
CONV_2D                        98         Mapped to Edge TPU
CONV_2D                        3          More than one subgraph is not supported
QUANTIZE                       40         Operation version not supported
GATHER_ND                      16         Operation is otherwise supported, but not mapped due to some unspecified limitation
"""  # noqa: E501
INVALID = "Edge TPU Compiler version 16.0.384591198\nStarted a compilation timeout timer of 180 seconds.\n"
UNQUANTISED = INVALID + "Invalid model: m.tflite\nModel not quantized\n"
UNPARSED = INVALID + "Invalid model: m.tflite\nModel could not be parsed\n"
ABORTED = INVALID + "ERROR: Attempting to use a delegate\nInternal compiler error. Aborting! \n"


def test_a_whole_report_is_a_record() -> None:
    report = parse_report(WHOLE)
    assert (report.version, report.milliseconds, report.operators, report.mapped) == ("16.0.384591198", 941, 31, 31)
    assert (report.subgraphs, report.cached_bytes, report.streamed_bytes, report.left) == (1, 566_907, 0, ())


def test_what_is_not_mapped_comes_with_its_reason() -> None:
    report = parse_report(PARTIAL)
    assert (report.operators, report.mapped) == (157, 98)
    assert sum(row.count for row in report.left) == 59
    reason = "Operation is otherwise supported, but not mapped due to some unspecified limitation"
    assert report.left[-1] == OperatorRow(operator="GATHER_ND", count=16, status=reason)
    assert (report.cached_bytes, report.streamed_bytes) == (2_621_440, 1_024)


def test_a_report_that_says_nothing_is_empty() -> None:
    report = parse_report("")
    assert (report.version, report.operators, report.cached_bytes, report.rows) == (None, None, None, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (UNQUANTISED, r"m: the Edge TPU compiler takes quantised models only .*--for coral"),
        (UNPARSED, r"m: the Edge TPU compiler cannot parse the model .seen: Model could not be parsed"),
        (ABORTED, r"m: the Edge TPU compiler stopped with an error of its own .*Aborting!"),
        ("strange words\n", r"m: the Edge TPU compiler wrote no file .seen: exit status 1: strange words"),
        ("", r"exit status 1: no word"),
    ],
)
def test_each_failure_has_one_message(text: str, words: str) -> None:
    assert re.search(words, str(explain_failure(text, "m", 1)))


def test_paths_and_options_stay_single_words() -> None:
    words = argv("edgetpu_compiler", ("-m", "13"), model="/tmp/a b;c.tflite", folder="/tmp/out")
    assert words == ["edgetpu_compiler", "-m", "13", "-s", "-o", "/tmp/out", "/tmp/a b;c.tflite"]


def test_the_folder_for_what_is_made_is_ours_whatever_the_card_says() -> None:
    words = argv("edgetpu_compiler", ("-o", "/home/me"), model="m.tflite", folder="/tmp/out")
    assert words[-4:] == ["-s", "-o", "/tmp/out", "m.tflite"]


@pytest.mark.parametrize(
    "text",
    [
        f"Model compiled successfully in {'9' * 5000} ms.",
        f"Total number of operations: {'9' * 5000}",
        "On-chip memory used for caching model parameters: 1.2.3KiB",
        f"On-chip memory used for caching model parameters: {'9' * 400}GiB",
        f"ADD {'9' * 5000} Mapped to Edge TPU",
        "ADD 1 x" + " " * 7000 + "y",
    ],
    ids=lambda text: text[:20],
)
def test_a_report_of_nonsense_says_nothing(text: str) -> None:
    report = parse_report(text)
    assert (report.milliseconds, report.operators, report.cached_bytes, report.mapped) == (None, None, None, 0)
