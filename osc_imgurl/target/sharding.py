# SPDX-License-Identifier: Apache-2.0
"""Which container Glance keeps an image in."""


def container_name(container: str, image_id: str, seed: int) -> str:
    """Return the container of an image by Glance's sharding rule.

    The rule is that of the Swift store of glance_store, option
    ``swift_store_multiple_containers_seed``; Ironic's ``[glance]`` option of the same name
    follows it.

    >>> container_name('glance', '3A1F6DE0-93C4-4B44-BF4F-9A3B3AA2C6C5', 3)
    'glance_3a1'
    >>> container_name('glance', '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5', 10)
    'glance_3a1f6de0-93'
    >>> container_name('glance', '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5', 0)
    'glance'

    :param container: the configured container (Glance: ``swift_store_container``).
    :param image_id: the image's UUID.
    :param seed: the multiple containers seed, 0 to 32; 0 keeps all images in one container.
    """
    if not seed:
        return container
    image_id = image_id.lower()
    length = seed + image_id[:seed].count('-')
    return f'{container}_{image_id[:length]}'
