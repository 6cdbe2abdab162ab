"""Prints as JSON what Ironic or Glance reads in config files; for the environment of either.

Its arguments are the service's name and the files' paths.
"""

import json
import sys
import types

from oslo_config import cfg

IMAGE_ID = '3A1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'


def of_glance(paths):
    """Return the container of an image in each of Glance's stores."""
    from glance_store._drivers.swift import store

    conf = cfg.CONF
    conf.register_opts([cfg.DictOpt('enabled_backends', default={})])
    conf(args=[], default_config_files=paths, default_config_dirs=[], use_env=False)
    conf.register_opts(store._SWIFT_OPTS, group='glance_store')
    containers = {}
    for name in list(conf.enabled_backends) or [None]:
        given = (store.driver.BackendGroupConfiguration(store._SWIFT_OPTS, name, conf=conf)
                 if name else conf.glance_store)
        swift = types.SimpleNamespace(OPTIONS=store._SWIFT_OPTS, backend_group=name, conf=conf)
        containers[name or ''] = store.SingleTenantStore.get_container_name(
            swift, IMAGE_ID, given.swift_store_container)
    return containers


def of_ironic(paths):
    """Return options of Ironic's, by name."""
    from ironic.conf import CONF

    CONF(args=[], default_config_files=paths, default_config_dirs=[])
    return {name: CONF.glance[name] for name in (
        'swift_container', 'swift_endpoint_url', 'swift_account', 'swift_account_prefix')}


if __name__ == '__main__':
    service, *paths = sys.argv[1:]
    print(json.dumps({'glance': of_glance, 'ironic': of_ironic}[service](paths)))
