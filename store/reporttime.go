package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trento/store/kv"
	"trento/store/landscape"
)

// loadReportTimes reads the times of the last reports into memory.
func (tx *Tx) loadReportTimes() {
	for key, at := range tx.s.reportTimes.Scan(tx.kv, nil, nil) {
		agent, kind, _ := strings.Cut(string(key), "/")
		tx.s.reportCounts.setTime(landscape.HostID(agent), landscape.Kind(kind), kv.BytesTime(at))
	}
}

// putReportTimes writes the times of the last reports to the file. It writes in
// the order of the keys, and only the times that have changed.
func (tx *Tx) putReportTimes() error {
	type reportTime struct {
		key []byte
		at  time.Time
	}
	var times []reportTime
	for from, at := range tx.s.reportCounts.times() {
		times = append(times, reportTime{reportKey(from.agent, from.kind), at})
	}
	slices.SortFunc(times, func(a, b reportTime) int { return bytes.Compare(a.key, b.key) })
	for _, t := range times {
		value := kv.TimeBytes(t.at)
		if bytes.Equal(tx.s.reportTimes.Get(tx.kv, t.key), value) {
			continue
		}
		if err := tx.s.reportTimes.Put(tx.kv, t.key, value); err != nil {
			return err
		}
	}
	return nil
}

// deleteReportTimes deletes the times of the last reports of an agent.
func (tx *Tx) deleteReportTimes(agent landscape.HostID) error {
	var failed []error
	for _, kind := range landscape.Kinds {
		failed = append(failed, tx.s.reportTimes.Delete(tx.kv, reportKey(agent, kind)))
	}
	return errors.Join(failed...)
}

// verifyReportTimes checks that each time belongs to a known kind.
func (tx *Tx) verifyReportTimes() error {
	for key := range tx.s.reportTimes.Scan(tx.kv, nil, nil) {
		if _, kind, ok := strings.Cut(string(key), "/"); !ok || !landscape.Kind(kind).Known() {
			return fmt.Errorf("time of report %q: the kind is not known", key)
		}
	}
	return nil
}
