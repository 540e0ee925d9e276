package amqp

import (
	"errors"
	"fmt"
)

var (
	errClass = errors.New("a content header is of an unknown class")
	errFlags = errors.New("a content header has more properties than there are")
)

// The reply codes that are sent, with their names in AMQP 0-9-1.
const (
	replySuccess       = 200
	noRoute            = 312
	connectionForced   = 320
	accessRefused      = 403
	notFound           = 404
	preconditionFailed = 406
	frameError         = 501
	commandInvalid     = 503
	channelError       = 504
	unexpectedFrame    = 505
	resourceError      = 506
	notAllowed         = 530
	notImplemented     = 540
	internalError      = 541
)

var replyNames = map[uint16]string{
	noRoute:            "NO_ROUTE",
	connectionForced:   "CONNECTION_FORCED",
	accessRefused:      "ACCESS_REFUSED",
	notFound:           "NOT_FOUND",
	preconditionFailed: "PRECONDITION_FAILED",
	frameError:         "FRAME_ERROR",
	commandInvalid:     "COMMAND_INVALID",
	channelError:       "CHANNEL_ERROR",
	unexpectedFrame:    "UNEXPECTED_FRAME",
	resourceError:      "RESOURCE_ERROR",
	notAllowed:         "NOT_ALLOWED",
	notImplemented:     "NOT_IMPLEMENTED",
	internalError:      "INTERNAL_ERROR",
}

// closing is an error that ends a channel or the whole connection in the way of
// AMQP: the peer is told the code and the text, and confirms.
type closing struct {
	code   uint16
	text   string
	method methodID // the method that failed; 0: none
	// channelOnly: the connection and its other channels go on.
	channelOnly bool
}

func (c *closing) Error() string { return replyNames[c.code] + " - " + c.text }

// closeConnection returns an error that ends the connection.
func closeConnection(code uint16, format string, values ...any) *closing {
	return &closing{code: code, text: fmt.Sprintf(format, values...)}
}

// closeChannel returns an error that ends the channel.
func closeChannel(code uint16, format string, values ...any) *closing {
	return &closing{code: code, text: fmt.Sprintf(format, values...), channelOnly: true}
}
