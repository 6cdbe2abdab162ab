"""Run by Glance's own Python: print what glance_store reads in each location.

    glance_locations.py < locations > readings

A location is a line of JSON, and so is a reading: the URL that the store would contact, whether
with credentials of the location's, the container and the object; of an S3 store the bucket and the
key; or null, where glance_store refuses the location.
"""

import json
import sys


def read(uri):
    from glance_store import exceptions
    from glance_store._drivers import s3
    from glance_store._drivers.swift import store as swift

    in_s3 = 's3' in uri.partition('://')[0].lower()
    location = (s3 if in_s3 else swift).StoreLocation({}, conf=None)
    try:
        location.parse_uri(uri)
        if in_s3:
            return [location.bucket, location.key]
        return [location.swift_url, bool(location.user or location.key), location.container,
                location.obj]
    # As Glance, which answers 400 or 500 then.
    except (exceptions.BadStoreUri, ValueError, AttributeError):
        return None


if __name__ == '__main__':
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line))))
