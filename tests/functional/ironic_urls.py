"""Run by Ironic's own Python: print the URLs that Ironic makes.

    ironic_urls.py <Unix time> <image ID> <ironic.conf> ...

Each configuration has a process of its own, for Ironic keeps sessions and settings in globals.
"""

import json
import os
import sys
import time


def url(config, image_id, now):
    from ironic.common.context import RequestContext
    from ironic.common.glance_service.image_service import GlanceImageService
    from ironic.conf import CONF

    CONF(['--config-file', config], project='ironic')
    service = GlanceImageService(context=RequestContext())
    image = service.show(image_id)
    # The clock that openstacksdk signs by.
    time.time = lambda: now
    return service.swift_temp_url(image)


def main(now, image_id, *configs):
    # Once for all, because it takes seconds; and first, or the imports of Ironic go round in a
    # circle.
    from ironic.common import image_service  # noqa: F401

    for config in configs:
        if not os.fork():
            print(json.dumps(url(config, image_id, int(now))), flush=True)
            os._exit(0)
        if os.wait()[1]:
            sys.exit(1)


if __name__ == '__main__':
    main(*sys.argv[1:])
