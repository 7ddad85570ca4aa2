from deskbridge.kit.ids import fingerprint, new_id, new_secret


def test_ids_are_unique_and_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(20_000)]
    assert len(set(made)) == len(made)
    assert made == sorted(made)
    assert {i.version for i in made} == {7}


def test_a_secret_holds_256_bits_and_no_two_are_alike() -> None:
    made = {new_secret("dbk_") for _ in range(1000)}
    assert len(made) == 1000
    assert all(secret.startswith("dbk_") and len(secret) >= 4 + 43 for secret in made)


def test_fingerprints_tell_variants_apart() -> None:
    secret = "Secret"
    variants = {secret, "secret", "SECRET", " Secret", "Secret ", "Secret\x00", "", "Secre", "Ｓecret"}
    assert len({fingerprint(variant) for variant in variants}) == len(variants)
    assert all(len(fingerprint(variant)) == 32 for variant in variants)
