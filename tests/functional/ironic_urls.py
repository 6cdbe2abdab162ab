"""Run by Ironic's own Python: print the URLs that Ironic makes.

    ironic_urls.py <Unix time> <image ID> <ironic.conf> ...

Each configuration has a process of its own, for Ironic keeps sessions and settings in globals.
"""

import json
import os
import sys
import time

NOW, IMAGE_ID, *CONFIGS = sys.argv[1:]


def url(config):
    # Imported first, or the imports of Ironic go round in a circle.
    from ironic.common import image_service  # noqa: F401
    from ironic.common.context import RequestContext
    from ironic.common.glance_service.image_service import GlanceImageService
    from ironic.conf import CONF

    CONF(['--config-file', config], project='ironic')
    service = GlanceImageService(context=RequestContext())
    image = service.show(IMAGE_ID)
    # The clock that openstacksdk signs by.
    time.time = lambda: int(NOW)
    return service.swift_temp_url(image)


for each in CONFIGS:
    sys.stdout.flush()
    if not os.fork():
        print(json.dumps(url(each)))
        sys.stdout.flush()
        os._exit(0)
    if os.wait()[1]:
        sys.exit(1)
