#!/bin/sh
# Mutation testing of the arithmetic, the rules, the stamp and the signature. `make mutants` calls it.
#
# mutmut (3.8.1) changes one thing in a function, runs the tests that call it, and says which changes no test noticed.
# It is no dependency of FMgo: it gets an environment of its own beside .venv, whose packages it sees. Which files are
# changed and which tests run stands in pyproject.toml; the copy that it works on is mutants/, which also remembers
# what was found: `rm -r mutants` begins anew. About ten minutes of one core.
#
# tests/mutants.sh [NAME…]   only mutants whose names match, e.g. 'domain.stamp*'
# PYTHON=/path/to/python     another environment than .venv's
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
tool=.venv-mutants

site_of() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

if [ ! -x $tool/bin/mutmut ]; then
  "$python" -m venv $tool
  site_of "$python" >"$(site_of $tool/bin/python)/fmgo.pth"
  $tool/bin/python -m pip install --quiet --disable-pip-version-check mutmut==3.8.1
fi
nice -n 19 $tool/bin/mutmut run --max-children 1 "$@"
echo "Not noticed:"
$tool/bin/mutmut results | grep -v 'killed$' || true
