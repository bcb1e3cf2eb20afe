package model

var kindNames = [...]string{"Wait", "Campaign", "Renew", "Poll", "Answer", "Lag", "Take", "Lead", "Ask", "Mislead", "Resign", "Crash", "Exchange", "Late",
	"Hear", "Reorder", "Repeat", "Lose", "Garble", "Cut", "Connect", "Reread", "Read", "Advance", "Restart", "Publish", "RollBack",
	"Outage", "Flush", "Delete", "Spoil", "Step", "Replicate", "Failover", "Split", "Heal", "SDK"}

func (k Kind) String() string { return kindNames[k] }
