package amqp

import (
	"errors"
	"fmt"
)

var (
	errUnknownClass      = errors.New("a content header is of an unknown class")
	errTooManyProperties = errors.New("a content header has more properties than there are")
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

// protocolFault is an error that ends a channel or the whole connection in the way of
// AMQP: the peer is told the code and the text, and confirms.
type protocolFault struct {
	code   uint16
	text   string
	method methodID // the method that failed; 0: none
	// channelOnly says that the fault ends only the channel, not the connection
	// and its other channels.
	channelOnly bool
}

func (c *protocolFault) Error() string { return replyNames[c.code] + " - " + c.text }

// connectionFault returns an error that ends the connection.
func connectionFault(code uint16, format string, values ...any) *protocolFault {
	return &protocolFault{code: code, text: fmt.Sprintf(format, values...)}
}

// channelFault returns an error that ends the channel.
func channelFault(code uint16, format string, values ...any) *protocolFault {
	return &protocolFault{code: code, text: fmt.Sprintf(format, values...), channelOnly: true}
}
