package main

import "log"

// printer is the service's logger, as it was.
type printer struct{ *log.Logger }

func (p printer) Debugf(format string, args ...any) {}
func (p printer) Infof(format string, args ...any)  { p.Printf("info: "+format, args...) }
func (p printer) Warnf(format string, args ...any)  { p.Printf("warning: "+format, args...) }
func (p printer) Errorf(format string, args ...any) { p.Printf("error: "+format, args...) }
