"""A self-signed certificate for https on the local machine (some vendors' clients refuse plain http)."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_YEARS = timedelta(days=825)


def ensure(folder: Path) -> tuple[Path, Path]:
    """The paths of (certificate, key) in `folder`, made when they are missing: localhost and 127.0.0.1."""
    certificate, key = folder / "simulators-cert.pem", folder / "simulators-key.pem"
    if not (certificate.exists() and key.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _write(certificate, key)
    return certificate, key


def _write(certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    certificate.write_bytes(_sign(private).public_bytes(pem))


def _sign(private: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Deskbridge simulators")])
    hosts: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
