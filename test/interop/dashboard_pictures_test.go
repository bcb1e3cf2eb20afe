package interop

import (
	"cmp"
	commandline "flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

var screenshots = commandline.String("screenshots", "", "folder in which TestDashboardScreenshots writes pictures of every page")

const (
	maxPicture  = 80 << 10 // bytes
	maxPictures = 1500 << 10
	pictureHigh = 1600 // pixels
)

// TestDashboardScreenshots writes the pictures of docs/dashboard with -screenshots.
func TestDashboardScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("it writes pictures: run make screenshots")
	}
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}, followers: []string{"web-1", "web-2", "web-3", "checkout-1", "search-1"}, hosts: true})
	v := startViewer(t)
	leader, _ := f.leading()
	story := v.open(t, leader.url("/ui/sdk/shop/fleet"), tabOptions{})
	all := fmt.Sprintf(`[...document.querySelectorAll("main tbody tr")].filter((row) => row.innerText.includes("current")).length >= %d`, 6)
	story.until(all)
	for _, c := range [][2]string{
		{"Free shipping!", "Free shipping this week!"},
		{`{"p":20,"v":{"b":true},"i":"checkout-rollout"},{"p":80,`, `{"p":40,"v":{"b":true},"i":"checkout-rollout"},{"p":60,`},
		{`"giftCards":{"t":0,"r":[{"c":[{"s":{"s":1,"c":0}}]`, `"giftCards":{"t":0,"r":[{"c":[{"s":{"s":0,"c":0}}]`},
		{`"maxCartItems":{"t":2,`, `"loyaltyPoints":{"t":0,"v":{"b":false},"i":"loyalty-off"},"maxCartItems":{"t":2,`},
	} {
		f.change("shop", c[0], c[1])
		story.await("main tbody tr", "pending")
		story.until(all) // the followers have reported how long it took
	}
	f.run("force", "shop", "maintenanceMode", "false", "--for", "2h", "--reason", "never during the sale", "--by", "ann@web-1", "--yes")
	last := f.revs("shop")[1]
	f.watchers["search-1"].signal(syscall.SIGSTOP)
	story.await("main tbody tr", "silent")

	total := int64(0)
	for _, width := range dashboardWidths {
		for _, dark := range []bool{false, true} {
			p := v.open(t, leader.url("/ui/"), tabOptions{width: width, dark: dark, reducedMotion: true})
			shoot := func(name string) {
				p.await("main h1", "")
				path := filepath.Join(*screenshots, fmt.Sprintf("%s-%d.png", name, width))
				p.do("shoot", map[string]any{"path": path, "height": pictureHigh})
				total += shrinkPicture(t, path)
			}
			if dark {
				shoot("overview-dark")
				continue
			}
			shoot("overview")
			for name, path := range map[string]string{
				"flags": "/ui/sdk/shop/flags", "flag": "/ui/sdk/shop/flags/newCheckout", "history": "/ui/sdk/shop/history", "version": fmt.Sprintf("/ui/sdk/shop/history/%d", last),
				"fleet": "/ui/sdk/shop/fleet", "actions": "/ui/sdk/shop/actions",
			} {
				p.goTo(leader.url(path))
				shoot(name)
			}
			p.goTo(leader.url("/ui/sdk/shop/flags/recommendations"))
			explainTo(p, `{"Identifier": "42", "Email": "jane@example.com", "Country": "HU", "Plan": "pro"}`)
			shoot("explain")
			p.previewForce(leader, "bannerText", "Back at noon", order{"ann", "the cellar is flooded", "2h"})
			shoot("preview")
		}
	}
	if total > maxPictures {
		t.Errorf("the pictures have %d bytes, want at most %d", total, maxPictures)
	}
}

// shrinkPicture writes a picture again with a palette of at most 256 colours, and returns its size.
func shrinkPicture(t *testing.T, path string) int64 {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(in)
	_ = in.Close()
	if err != nil {
		t.Fatal(err)
	}
	size := picture.Bounds()
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA) }
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	// The most frequent colours; edges of letters have the others.
	frequent := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	palette := color.Palette{}
	for _, c := range frequent {
		if len(palette) < 64 && (len(palette) == 0 || distance(palette[palette.Index(c)].(color.RGBA), c) > 60) {
			palette = append(palette, c)
		}
	}
	small, nearest := image.NewPaletted(size, palette), map[color.RGBA]uint8{}
	for c := range count {
		nearest[c] = uint8(palette.Index(c))
	}
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(out, small); err != nil {
		t.Fatal(err)
	}
	info, err := out.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxPicture {
		t.Errorf("%s has %d bytes, want at most %d", path, info.Size(), maxPicture)
	}
	return info.Size()
}

func distance(a, b color.RGBA) int {
	r, g, c := int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)
	return r*r + g*g + c*c
}
