"""The commented edgeval.toml that a project starts from, for classes or for numbers."""

_HEAD = """\
# edgeval.toml: what this project says once. Every key may be left out.
# Editors can check it: edgeval init --schema > edgeval.schema.json
#:schema ./edgeval.schema.json

# ladder = "scalecnn-digits100"    # which ladder compare and gate take  (edgeval models list)
# target = "desktop"               # where the candidate runs            (edgeval devices list)
# runs = "runs"                    # the results folder

[gate]
# How many looks at the same test images are planned. Judging again after more images were added is a second look;
# the level of every rule (1 - confidence) is divided among the planned ones.
# looks = 1

# Judge only what edgeval ran itself, never tables of predictions made elsewhere.
# require_provenance = false

# Share of answers that you expect to flip either way; foretells the chance that an unchanged model passes.
# discordance = "5%"

# A rule: one metric, one limit. It passes only when the whole interval of the change lies inside the limit, and fails
# only when all of it lies outside; else the verdict is INCONCLUSIVE and says about how many more images decide it.
#   limits   max_drop      against the reference, for what should be high: top1, top5, class_accuracy, bottom5, jaccard
#            max_increase  against the reference, for what should be low: ece, gini, nll, brier, latency_p95_ms ...
#            max, min      absolute
#   units    "1.0pt" percentage points   "5%" relative to the reference   "20ms"   "500kb"   "64mb"   0.02 plain

"""
_CLASSES = """\
[[gate.rules]]
metric = "top1"
max_drop = "2.0pt"
confidence = 0.95

[[gate.rules]]
metric = "lost_rate"          # right in the reference, wrong now: a share of all images
max = "10pt"

# [[gate.rules]]
# metric = "class_accuracy"   # each named class must pass; the failing side is corrected for their number
# classes = ["pedestrian", "cyclist"]
# max_drop = "5pt"
# correction = "holm"

# [[gate.rules]]
# metric = "ece"              # expected calibration error, 0 to 1
# max_increase = 0.03

# [[gate.rules]]
# metric = "bottom5"          # mean accuracy of the five worst classes
# max_drop = "5pt"

"""
_NUMBERS = """\
[[gate.rules]]
metric = "mse_ratio"          # mean squared error of the candidate / of the reference
max = 1.5

[[gate.rules]]
metric = "within_tolerance"   # share of samples all of whose outputs err by at most the tolerance, in their own unit
tolerance = 0.05
max_drop = "2.0pt"

# [[gate.rules]]
# metric = "max_abs_error"    # the largest error of any sample, in the output's unit
# output = "theta"            # of this output alone; mse_ratio and within_tolerance take it too
# max = 0.1

"""
_COST = """\
# [[gate.rules]]
# metric = "latency_p95_ms"   # of one image on the target
# max = "20ms"

# [[gate.rules]]
# metric = "artifact_kb"
# max = "500kb"
"""
TEMPLATE = _HEAD + _CLASSES + _COST
REGRESSION = _HEAD + _NUMBERS + _COST
