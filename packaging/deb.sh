#!/bin/sh
# Makes a Debian package of an installed tree: deb.sh ROOT VERSION MAINTAINER OUT_FOLDER. `make deb` calls it.
# It needs dpkg-dev and patchelf.
set -eu
root=$1 version=$2 maintainer=$3 out=$4
here=$(dirname "$(realpath "$0")")/debian
root=$(realpath "$root")
libraries=/usr/lib/kellgrend/torch/lib

# Where it was built is nobody's business, and no place to load libraries from.
patchelf --set-rpath "\$ORIGIN/../lib/kellgrend/torch/lib" "$root/usr/bin/kellgrend"
gzip -9nf "$root"/usr/share/man/man1/*.1
find "$root/usr/lib/kellgrend" -name '*.so*' -exec chmod 644 {} +

documents=$root/usr/share/doc/kellgrend
{ cat "$here/copyright"; printf 'License: Expat\n'; sed '1,2d; s/^$/./; s/^/ /' "$documents/LICENSE"; } > "$documents/copyright"
rm "$documents/LICENSE"
# Those of the libraries lie in the wheels that they came in.
python3 - "$documents/licences" "$here"/../../.libtorch/wheels/torch-*.whl "$here"/../../.libtorch/wheels/nvidia_*.whl << 'END'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
for wheel in map(pathlib.Path, sys.argv[2:]):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".dist-info/licenses/" in name and not name.endswith("/"):
                (folder / f"{wheel.name.split('-')[0]}-{name.split('/')[-1]}").write_bytes(archive.read(name))
END
printf 'kellgrend (%s) unstable; urgency=medium\n\n  * CHANGELOG.md says what changed.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$(date -R)" | gzip -9n > "$documents/changelog.gz"

# What the program and its libraries need of the system, by dpkg's own reckoning.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian"
printf 'Source: kellgrend\n\nPackage: kellgrend\nArchitecture: amd64\n' > "$work/debian/control"
needs=$(cd "$work" && find "$root/usr/lib/kellgrend" -name '*.so*' -type f -exec printf -- '-e%s\n' {} + |
    xargs dpkg-shlibdeps -O --warnings=0 --ignore-missing-info "-l$root$libraries" \
        $(find "$root/usr/lib/kellgrend/nvidia" -name '*.so*' -printf '-l%h\n' | sort -u) "-e$root/usr/bin/kellgrend" \
        "-e$root/usr/lib/kellgrend/kellgrend-decode")
needs=${needs#shlibs:Depends=}

control=$root/DEBIAN
rm -rf "$control"
install -d "$control"
size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
sed "s|@VERSION@|$version|; s|@MAINTAINER@|$maintainer|; s|@SIZE@|$size|; s|@DEPENDS@|$needs|" "$here/control.in" \
    > "$control/control"
install -m 644 "$here/conffiles" "$control/conffiles"
install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$control"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) > "$control/md5sums"
chmod -R go+rX,go-w "$root"
dpkg-deb --root-owner-group -Zzstd --build "$root" "$out/kellgrend_${version}_amd64.deb"
