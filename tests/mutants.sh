#!/bin/sh
# Mutation testing of the arithmetic, the rules, the stamp and the signature. `make mutants` calls it.
#
# mutmut (3.8.1) changes one thing in a function, runs the tests that call it, and says which changes no test noticed.
# It is no dependency of FMgo: it gets an environment of its own beside .venv, whose packages it sees. Which files are
# changed and which tests run stands in pyproject.toml; the copy that it works on is mutants/, which also remembers
# what was found: `rm -r mutants` begins anew. About ten minutes of one core.
#
# tests/mutants.sh [NAME…]   only mutants whose names match, e.g. 'domain.stamp*'
# tests/mutants.sh again     those that were not noticed once more, each in a process of its own: what runs while
#                            modules are imported or fixtures are made is changed only there
# PYTHON=/path/to/python     another environment than .venv's
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
tool=$PWD/.venv-mutants/bin

site_of() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

if [ ! -x "$tool/mutmut" ]; then
  "$python" -m venv .venv-mutants
  site_of "$python" >"$(site_of "$tool/python")/fmgo.pth"
  "$tool/python" -m pip install --quiet --disable-pip-version-check mutmut==3.8.1
fi

not_noticed() { "$tool/mutmut" results | sed -n 's/^ *\(domain[^:]*\): survived$/\1/p'; }

chosen='import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["tool"]["mutmut"]["pytest_add_cli_args_test_selection"])'

if [ "${1:-}" = again ]; then
  tests=$("$tool/python" -c "$chosen")
  not_noticed | while read -r name; do
    # shellcheck disable=SC2086  # a list of files
    (cd mutants && MUTANT_UNDER_TEST=$name PYTHONPATH=$PWD nice -n 19 "$tool/python" -m pytest -x -q \
      -p no:cacheprovider $tests >/dev/null 2>&1 </dev/null) && echo "$name" || true
  done
else
  nice -n 19 "$tool/mutmut" run --max-children 1 "$@"
  echo "Not noticed:"
  not_noticed
fi
