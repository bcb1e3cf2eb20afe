package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"time"
)

//go:embed assets
var assetFiles embed.FS

// assets are the files below /ui/assets/ by name. They contain no secret.
type assets map[string]asset

type asset struct {
	data    []byte
	kind    string // Content-Type
	version string // of the content
}

// assetTypes are the types of the files; those of the machine may be others.
var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func loadAssets() (assets, error) {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	all := assets{}
	for _, entry := range entries {
		data, err := assetFiles.ReadFile("assets/" + entry.Name())
		if err != nil {
			return nil, err
		}
		kind := assetTypes[path.Ext(entry.Name())]
		if _, _, err := mime.ParseMediaType(kind); err != nil {
			return nil, fmt.Errorf("ui: the asset %s has no type", entry.Name())
		}
		hash := sha256.Sum256(data)
		all[entry.Name()] = asset{data, kind, hex.EncodeToString(hash[:6])}
	}
	return all, nil
}

// url returns the address of a file, which changes with its content.
func (a assets) url(name string) (string, error) {
	file, ok := a[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %q", name)
	}
	return "/ui/assets/" + name + "?v=" + file.version, nil
}

// serveAsset answers with a file. Browsers keep those whose address names the version; modules that
// other modules import are asked for again.
func (u *UI) serveAsset(w http.ResponseWriter, r *http.Request) {
	file, ok := u.assets[r.PathValue("file")]
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Etag", `"`+file.version+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == file.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.data))
}
