#!/usr/bin/env bash
# Make the image of Lambda's Python that `sam local` runs functions in, where no registry can be reached.
#
#   localstack/sam_local/make_image.sh [PYTHON_VERSION]
#
# It is Debian (debootstrap, from Debian's packages) with its CPython under /var/lang, and AWS's own runtime
# client (awslambdaric) and boto3 from PyPI under /var/runtime, imported with the name of the official image,
# which it replaces: `docker rmi` it where the official one can be pulled.
# Needs root, docker, debootstrap, and `make setup`. About a minute; 300 MB.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
version=${1:-3.13}
suite=${DEBIAN_SUITE:-trixie} # the release whose python3 is 3.13
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
case $(uname -m) in
  aarch64 | arm64) architecture=arm64 platform=aarch64-manylinux_2_28 ;;
  *) architecture=x86_64 platform=x86_64-manylinux_2_28 ;;
esac
image=public.ecr.aws/lambda/python:$version-$architecture

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "==> debootstrap: Debian $suite with its python3"
debootstrap --variant=minbase --include=python3,ca-certificates "$suite" "$work/rootfs" "$mirror" >"$work/log" 2>&1 ||
  { tail -20 "$work/log" >&2; exit 1; }
[ -x "$work/rootfs/usr/bin/python$version" ] || { echo "Debian $suite has no python$version" >&2; exit 1; }
rm -rf "$work/rootfs/var/cache/apt" "$work/rootfs/var/lib/apt/lists" "$work/rootfs/usr/share/doc"

echo "==> awslambdaric and boto3"
"$root/.venv/bin/uv" pip install --quiet --target "$work/rootfs/var/runtime" --python-version "$version" \
  --python-platform "$platform" --only-binary :all: --constraint <(grep -oE '^boto(3|core)==[^ ]+' "$root/requirements/dev.txt") \
  'awslambdaric==4.2.2' boto3

mkdir -p "$work/rootfs/var/lang/bin" "$work/rootfs/var/task" "$work/rootfs/opt"
ln -s "/usr/bin/python$version" "$work/rootfs/var/lang/bin/python$version"
cat >"$work/rootfs/var/runtime/bootstrap" <<END
#!/bin/sh
export PYTHONPATH="/var/task:/opt/python/lib/python$version/site-packages:/opt/python:/var/runtime"
exec /var/lang/bin/python$version -m awslambdaric "\$_HANDLER"
END
chmod 755 "$work/rootfs/var/runtime/bootstrap" "$work/rootfs"

echo "==> docker import: $image"
tar -C "$work/rootfs" -c . | docker import \
  --change 'WORKDIR /var/task' --change 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime LANG=C.UTF-8 TZ=:UTC' \
  --change 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin' - "$image"
