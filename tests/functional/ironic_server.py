"""Run by Ironic's own Python: Ironic's API and conductor in one process, on a new database.

    ironic_server.py <ironic.conf>
"""

import os
import sys


def main(config):
    # Once for both, because it takes seconds.
    from ironic.command import dbsync, singleprocess

    if not os.fork():
        sys.argv = ['ironic-dbsync', '--config-file', config, 'create_schema']
        sys.exit(dbsync.main())
    if os.wait()[1]:
        sys.exit(1)
    sys.argv = ['ironic', '--config-file', config]
    singleprocess.main()


if __name__ == '__main__':
    main(*sys.argv[1:])
