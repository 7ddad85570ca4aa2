const place = document.getElementById("docs");
Redoc.init(place.dataset.spec, { hideDownloadButton: true }, place);
