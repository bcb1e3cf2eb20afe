package ui

import (
	"net/url"
	"strconv"
	"strings"
)

// rowsOnPage is how many rows of a table a page shows.
const rowsOnPage = 200

// paging says which of the rows found a page shows.
type paging struct {
	Of             string // what they are: flags
	Total, Found   int
	First, Last    int    // numbers of the rows shown, from 1; 0: there are none
	Earlier, Later string // links to the pages before and after; empty: none
}

// pageOf returns the rows of the page that the query names, or of the nearest one that exists. names are the
// parameters of the search, which the links to its other pages keep.
func pageOf[T any](of, path string, query url.Values, total int, found []T, names ...string) ([]T, paging) {
	pages := max(1, (len(found)+rowsOnPage-1)/rowsOnPage)
	at, _ := strconv.Atoi(query.Get("page")) // too large: the last page
	at = min(max(at, 1), pages)
	start := (at - 1) * rowsOnPage
	p := paging{Of: of, Total: total, Found: len(found), Last: min(start+rowsOnPage, len(found))}
	p.First = min(start+1, p.Last)
	link := func(at int) string {
		if at < 1 || at > pages {
			return ""
		}
		values := url.Values{}
		for _, name := range names {
			if value := strings.TrimSpace(query.Get(name)); value != "" {
				values.Set(name, value)
			}
		}
		if at > 1 {
			values.Set("page", strconv.Itoa(at))
		}
		if len(values) == 0 {
			return path
		}
		return path + "?" + values.Encode()
	}
	p.Earlier, p.Later = link(at-1), link(at+1)
	return found[start:p.Last], p
}
