#!/bin/sh
# The same DELETEs by curl --parallel, oha, a plain program on reqwest, bare sockets and callsweep, in turn,
# against the service of benches/support/server.rs; medians of the ratios of each round. What is not
# installed is left out. CALLSWEEP_OTHER=PROGRAM compares with another build of callsweep too.
#
# usage: benches/side_by_side.sh [EVENTS [ROUNDS]]
set -eu
cd "$(dirname "$0")/.."
exec cargo bench --locked --bench deleting -- side-by-side "$@"
