package amqp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// protocolHeader is what a client sends first. If a client begins otherwise,
// the server answers with it.
const protocolHeader = "AMQP\x00\x00\x09\x01"

// The types of frames.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
	frameEnd       = 0xCE
)

const (
	// frameOverhead is the number of bytes of a frame without its payload:
	// type, channel and size before the payload, and the end octet.
	frameOverhead = 8
	// minFrameMax is the frame size that every peer has to take, and the limit
	// until the handshake has set another limit.
	minFrameMax = 4096
)

var (
	errFrameEnd  = errors.New("a frame does not end where its size says")
	errFrameSize = errors.New("a frame is larger than agreed")
)

// frame is one frame. Its payload is valid until the next frame is read.
type frame struct {
	kind    byte
	channel uint16
	payload []byte
}

// frameReader reads frames.
type frameReader struct {
	source *bufio.Reader
	// max is the largest frame to take, in bytes, overhead included.
	max    int
	buffer []byte
}

// maxKeptBuffer is the size up to which the buffer of a frame is kept for the
// next. Nearly all frames of an agent are smaller, and there are thousands of
// connections that wait.
const maxKeptBuffer = 512

// next reads a frame. It returns io.EOF if the connection ends between two
// frames.
func (r *frameReader) next() (frame, error) {
	header, err := r.source.Peek(7)
	if err != nil {
		if len(header) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	f := frame{kind: header[0], channel: binary.BigEndian.Uint16(header[1:])}
	size := binary.BigEndian.Uint32(header[3:])
	switch f.kind {
	case frameMethod, frameHeader, frameBody, frameHeartbeat:
	default:
		return frame{}, fmt.Errorf("unknown type of frame: %d", f.kind)
	}
	if int64(size) > int64(r.max-frameOverhead) {
		return frame{}, errFrameSize
	}
	if _, err := r.source.Discard(7); err != nil {
		return frame{}, err
	}
	if cap(r.buffer) > maxKeptBuffer {
		r.buffer = nil
	}
	n := int(size) + 1
	if cap(r.buffer) < n {
		r.buffer = make([]byte, max(n, 64))
	}
	payload := r.buffer[:n]
	if _, err := io.ReadFull(r.source, payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	if payload[size] != frameEnd {
		return frame{}, errFrameEnd
	}
	f.payload = payload[:size]
	return f, nil
}

// beginFrame appends the beginning of a frame, which endFrame completes.
func beginFrame(b []byte, kind byte, channel uint16) []byte {
	b = append(b, kind)
	b = binary.BigEndian.AppendUint16(b, channel)
	return append(b, 0, 0, 0, 0)
}

// endFrame completes the frame that begins at start.
func endFrame(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start+3:], uint32(len(b)-start-7))
	return append(b, frameEnd)
}

// heartbeat is a whole heartbeat frame.
var heartbeat = []byte{frameHeartbeat, 0, 0, 0, 0, 0, 0, frameEnd}
