# SPDX-License-Identifier: Apache-2.0
import configparser
import os
import pathlib

import setuptools

# pbr knows a version only from git, and so refuses a source tree without it.
config = configparser.ConfigParser()
config.read(pathlib.Path(__file__).with_name('setup.cfg'))
os.environ.setdefault('PBR_VERSION', config['metadata']['version'])

setuptools.setup(setup_requires=['pbr>=6.1.1'], pbr=True)
