#!/bin/sh
# Makes .venv in the project's root, or repairs it, or does nothing in a few milliseconds. `make env` calls it.
#
# It promises: after exit 0, .venv holds exactly requirements.lock and the project itself, made for this path and by a
# Python that FMgo supports. An attempt that was interrupted, even by kill -9, is found by its missing stamp and
# begun again. Two at once wait for each other. Nothing outside .venv is changed.
#
# PYTHON=/path/to/python3.12 chooses the interpreter; otherwise the first fit one of python3, python3.11, .12, .13.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
venv=.venv
stamp=$venv/.made

say() { printf '%s\n' "$*" >&2; }
refuse() { say "fmgo: $*"; exit 1; }

# What .venv must have been made from. Packages and project are told apart, so that a change of pyproject.toml alone
# doesn't install a hundred packages again.
packages_wanted() { printf '%s %s\n' "$root" "$(cksum <requirements.lock)"; }
project_wanted() { cksum <pyproject.toml; }
packages_fresh() { [ -x $venv/bin/python ] && [ "$(cat $stamp.packages 2>/dev/null)" = "$(packages_wanted)" ]; }
project_fresh() { [ "$(cat $stamp.project 2>/dev/null)" = "$(project_wanted)" ]; }

packages_fresh && project_fresh && exit 0

[ "$(uname -s)" = Linux ] || refuse "FMgo runs on Linux only; this is $(uname -s)."
case $(uname -m) in
  x86_64|aarch64) ;;
  *) refuse "FMgo needs an x86_64 or aarch64 machine; this is $(uname -m)." ;;
esac

# fitness PYTHON: prints "fit", or why not. The middle word of the reason decides what the person is told at the end.
fitness() {
  "$1" - <<'PYTHON' 2>/dev/null || echo "broken"
import platform, sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    print("version")
elif platform.libc_ver()[0] != "glibc":
    print("libc")
else:
    try:
        import ensurepip, venv
    except ImportError:
        print("venv")
    else:
        print("fit")
PYTHON
}

find_python() {
  seen=""
  for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13}; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    verdict=$(fitness "$candidate")
    [ "$verdict" = fit ] && { command -v "$candidate"; return 0; }
    seen="$seen $verdict"
  done
  case $seen in
    *venv*) refuse "Python's venv module is missing; on Debian and Ubuntu install the package python3-venv." ;;
    *libc*) refuse "FMgo needs a Linux with glibc; this Python was built for another C library." ;;
    *) refuse "FMgo needs Python 3.11, 3.12 or 3.13 as ${PYTHON:-python3}; found $(${PYTHON:-python3} --version 2>&1 | head -n 1)." ;;
  esac
}

# One at a time; where flock is missing (it is part of util-linux) a second run at the same moment is the user's care.
if command -v flock >/dev/null 2>&1 && [ "${FMGO_ENV_LOCKED:-}" != yes ]; then
  FMGO_ENV_LOCKED=yes exec flock "$root/pyproject.toml" "$0" "$@"
fi
packages_fresh && project_fresh && exit 0

pip() { $venv/bin/python -m pip --disable-pip-version-check --no-input --quiet --quiet "$@"; }

if ! packages_fresh; then
  python=$(find_python)
  say "fmgo: making .venv with $("$python" --version 2>&1); this takes about a minute the first time"
  rm -f $stamp.*
  rm -rf $venv
  "$python" -m venv $venv
  pip install --require-hashes --only-binary :all: --requirement requirements.lock \
    || refuse "the packages of requirements.lock could not be installed (see above); run the same command again when that is mended."
  packages_wanted >$stamp.packages.new && mv $stamp.packages.new $stamp.packages
fi
rm -f $stamp.project
pip install --no-deps --no-build-isolation --no-index --editable . \
  || refuse "the project itself could not be installed (see above)."
project_wanted >$stamp.project.new && mv $stamp.project.new $stamp.project
