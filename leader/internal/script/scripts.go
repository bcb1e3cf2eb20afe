package script

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

//go:embed prelude.lua
var prelude string

//go:embed acquire.lua
var acquireSource string

//go:embed commit.lua
var commitSource string

//go:embed renew.lua
var renewSource string

//go:embed release.lua
var releaseSource string

//go:embed refresh.lua
var refreshSource string

//go:embed control.lua
var controlSource string

//go:embed read_control.lua
var readControlSource string

//go:embed trim.lua
var trimSource string

var (
	acquireScript = redis.NewScript(prelude + acquireSource)
	commitScript  = redis.NewScript(prelude + commitSource)
	renewScript   = redis.NewScript(prelude + renewSource)
	releaseScript = redis.NewScript(prelude + releaseSource)
	refreshScript = redis.NewScript(prelude + refreshSource)
	trimScript    = redis.NewScript(prelude + trimSource)
	controlScript = redis.NewScript(prelude + controlSource)

	readControlScript = redis.NewScript(prelude + readControlSource)
)
