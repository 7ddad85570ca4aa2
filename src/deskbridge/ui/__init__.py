"""The face: assets, templates, languages. It knows how things look, not what they mean."""
