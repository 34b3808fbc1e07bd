#!/bin/sh
# Lays out nginx for one Debian architecture in /nginx: the binary, its configuration's
# types, exactly the libraries that it links, and a package database that names their packages.
# Unpacks packages and runs none of their programs, so the architecture may be foreign.
set -eu
architecture=$1
triplet=$2

packages=nginx-common
for package in nginx libnginx-mod-http-brotli-static libc6 libcrypt1 libpcre2-8-0 libssl3t64 \
    libzstd1 zlib1g; do
    packages="$packages $package:$architecture"
done
mkdir -p /packages /unpacked /sums /nginx/usr/sbin /nginx/usr/lib/nginx/modules /nginx/etc/nginx
cd /packages
dpkg --add-architecture "$architecture"
apt-get update -qq
apt-get install -y -qq --no-install-recommends binutils >/dev/null
# shellcheck disable=SC2086 # a list of words
apt-get download -qq $packages
for package in *.deb; do
    dpkg-deb -x "$package" /one
    (cd /one && find . -type f -exec md5sum {} +) >"/sums/$package"
    cp -a /one/. /unpacked/
    rm -r /one
done

needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# Debian links the loader from /lib or /lib64 into /usr.
loader=$(readelf -p .interp /unpacked/usr/sbin/nginx | sed -n 's/.*\(\/lib.*\)/\1/p')
cp /unpacked/usr/sbin/nginx /nginx/usr/sbin/
cp /unpacked/usr/lib/nginx/modules/ngx_http_brotli_static_module.so /nginx/usr/lib/nginx/modules/
cp /unpacked/etc/nginx/mime.types /nginx/etc/nginx/
mkdir -p "/nginx$(dirname "$loader")"
cp -L "/unpacked/usr/lib/$triplet/$(basename "$loader")" "/nginx$loader"

queue=$(needed /nginx/usr/sbin/nginx; needed /nginx/usr/lib/nginx/modules/ngx_http_brotli_static_module.so)
mkdir -p "/nginx/usr/lib/$triplet"
while [ -n "$queue" ]; do
    next=
    for library in $queue; do
        case $library in ld-linux*) continue ;; esac
        target=/nginx/usr/lib/$triplet/$library
        [ -e "$target" ] && continue
        if [ ! -e "/unpacked/usr/lib/$triplet/$library" ]; then
            echo "nginx needs $library, which is in none of these packages: $packages" >&2
            exit 1
        fi
        cp -L "/unpacked/usr/lib/$triplet/$library" "$target"
        next="$next $(needed "$target")"
    done
    queue=$next
done

# What each package's licence is, in Debian's words.
for package in /packages/*.deb; do
    name=$(dpkg-deb --field "$package" Package)
    mkdir -p "/nginx/usr/share/doc/$name"
    cp -L "/unpacked/usr/share/doc/$name/copyright" "/nginx/usr/share/doc/$name/"
done

# Where scanners look for it in images without a package manager, as in distroless ones.
database=/nginx/var/lib/dpkg/status.d
mkdir -p "$database"
(cd /nginx && find . -type f -exec md5sum {} +) | sort -k 2 >/files
while read -r sum path; do
    owner=$(cd /sums && grep -l "^$sum " -- *.deb | head -n 1)
    if [ -z "$owner" ]; then
        echo "$path is of none of these packages: $packages" >&2
        exit 1
    fi
    name=$(dpkg-deb --field "/packages/$owner" Package)
    dpkg-deb --field "/packages/$owner" >"$database/$name"
    echo "$sum  ${path#./}" >>"$database/$name.md5sums"
done </files
cp -L /etc/os-release /etc/debian_version /nginx/etc/

find /nginx -type f -exec chmod a-w {} +
