"""Certificates of a test's own, good and bad ones, for servers on this machine."""

import dataclasses
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

LOOPBACK = x509.IPAddress(ipaddress.ip_address('127.0.0.1'))
OTHER_HOST = x509.DNSName('elsewhere.example')


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate and its key; an authority signs others."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def read(cls, pem):
        return cls(x509.load_pem_x509_certificate(pem), load_pem_private_key(pem, None))

    @property
    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM) + self.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, name=LOOPBACK, begins=-1, ends=1):
        """Return a new certificate of a server, good from one day to another, of which 0 is now."""
        return _make('server', x509.SubjectAlternativeName([name]), self, begins, ends)


def authority():
    """Return the certificate of an authority; it has signed itself."""
    return _make('authority', x509.BasicConstraints(ca=True, path_length=None))


def with_authority():
    """Return a good certificate with its key and its authority: to be shown, or to be trusted."""
    made = authority()
    return made.sign().pem + made.pem


def _make(name, extension, issuer=None, begins=-1, ends=1):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    key = ec.generate_private_key(ec.SECP256R1())
    by, signing = (issuer.certificate.subject, issuer.key) if issuer else (subject, key)
    now = datetime.datetime.now(datetime.UTC)
    return Certificate(x509.CertificateBuilder(
        by, subject, key.public_key(), x509.random_serial_number(),
        now + datetime.timedelta(begins), now + datetime.timedelta(ends),
    ).add_extension(extension, critical=True).sign(signing, hashes.SHA256()), key)
