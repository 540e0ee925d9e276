package amqp

import "encoding/binary"

// methodID is the class of a method in the upper 16 bits and its number in the
// lower ones (AMQP 0-9-1, and RabbitMQ's extensions of it).
type methodID uint32

const (
	connectionStart     methodID = 10<<16 | 10
	connectionStartOK   methodID = 10<<16 | 11
	connectionTune      methodID = 10<<16 | 30
	connectionTuneOK    methodID = 10<<16 | 31
	connectionOpen      methodID = 10<<16 | 40
	connectionOpenOK    methodID = 10<<16 | 41
	connectionClose     methodID = 10<<16 | 50
	connectionCloseOK   methodID = 10<<16 | 51
	connectionBlocked   methodID = 10<<16 | 60
	connectionUnblocked methodID = 10<<16 | 61

	channelOpen    methodID = 20<<16 | 10
	channelOpenOK  methodID = 20<<16 | 11
	channelFlow    methodID = 20<<16 | 20
	channelFlowOK  methodID = 20<<16 | 21
	channelClose   methodID = 20<<16 | 40
	channelCloseOK methodID = 20<<16 | 41

	exchangeDeclare   methodID = 40<<16 | 10
	exchangeDeclareOK methodID = 40<<16 | 11
	exchangeDelete    methodID = 40<<16 | 20
	exchangeBind      methodID = 40<<16 | 30
	exchangeUnbind    methodID = 40<<16 | 40

	queueDeclare   methodID = 50<<16 | 10
	queueDeclareOK methodID = 50<<16 | 11
	queueBind      methodID = 50<<16 | 20
	queueBindOK    methodID = 50<<16 | 21
	queuePurge     methodID = 50<<16 | 30
	queuePurgeOK   methodID = 50<<16 | 31
	queueDelete    methodID = 50<<16 | 40
	queueDeleteOK  methodID = 50<<16 | 41
	queueUnbind    methodID = 50<<16 | 50
	queueUnbindOK  methodID = 50<<16 | 51

	basicQos          methodID = 60<<16 | 10
	basicQosOK        methodID = 60<<16 | 11
	basicConsume      methodID = 60<<16 | 20
	basicConsumeOK    methodID = 60<<16 | 21
	basicCancel       methodID = 60<<16 | 30
	basicCancelOK     methodID = 60<<16 | 31
	basicPublish      methodID = 60<<16 | 40
	basicReturn       methodID = 60<<16 | 50
	basicDeliver      methodID = 60<<16 | 60
	basicGet          methodID = 60<<16 | 70
	basicGetOK        methodID = 60<<16 | 71
	basicGetEmpty     methodID = 60<<16 | 72
	basicAck          methodID = 60<<16 | 80
	basicReject       methodID = 60<<16 | 90
	basicRecoverAsync methodID = 60<<16 | 100
	basicRecover      methodID = 60<<16 | 110
	basicRecoverOK    methodID = 60<<16 | 111
	basicNack         methodID = 60<<16 | 120

	confirmSelect   methodID = 85<<16 | 10
	confirmSelectOK methodID = 85<<16 | 11
)

// classBasic is the class of messages, in content headers.
const classBasic = 60

func (id methodID) class() uint16  { return uint16(id >> 16) }
func (id methodID) number() uint16 { return uint16(id) }

// contentProperties are the properties of a message that this server reads.
// It understands and drops all others.
type contentProperties struct {
	bodySize    uint64
	contentType string
	persistent  bool
}

// The flags of a content header say which properties follow, in this order.
const (
	hasContentType     = 1 << 15
	hasContentEncoding = 1 << 14
	hasHeaders         = 1 << 13
	hasDeliveryMode    = 1 << 12
	hasPriority        = 1 << 11
	hasCorrelationID   = 1 << 10
	hasReplyTo         = 1 << 9
	hasExpiration      = 1 << 8
	hasMessageID       = 1 << 7
	hasTimestamp       = 1 << 6
	hasType            = 1 << 5
	hasUserID          = 1 << 4
	hasAppID           = 1 << 3
	hasClusterID       = 1 << 2
)

// deliveryPersistent is the delivery mode of messages that survive a restart.
const deliveryPersistent = 2

// readContentHeader reads the payload of a header frame.
func readContentHeader(payload []byte) (contentProperties, error) {
	d := decoder{rest: payload}
	if class := d.uint16(); d.err == nil && class != classBasic {
		return contentProperties{}, errUnknownClass
	}
	d.uint16() // weight
	p := contentProperties{bodySize: d.uint64()}
	flags := d.uint16()
	if flags&1 != 0 {
		return contentProperties{}, errTooManyProperties
	}
	for _, property := range []struct {
		flag uint16
		read func()
	}{
		{hasContentType, func() { p.contentType = d.shortText() }},
		{hasContentEncoding, func() { d.shortText() }},
		{hasHeaders, func() { d.table() }},
		{hasDeliveryMode, func() { p.persistent = d.uint8() == deliveryPersistent }},
		{hasPriority, func() { d.uint8() }},
		{hasCorrelationID, func() { d.shortText() }},
		{hasReplyTo, func() { d.shortText() }},
		{hasExpiration, func() { d.shortText() }},
		{hasMessageID, func() { d.shortText() }},
		{hasTimestamp, func() { d.uint64() }},
		{hasType, func() { d.shortText() }},
		{hasUserID, func() { d.shortText() }},
		{hasAppID, func() { d.shortText() }},
		{hasClusterID, func() { d.shortText() }},
	} {
		if flags&property.flag != 0 {
			property.read()
		}
	}
	return p, d.checkEnd()
}

// appendContent appends the frames of a message behind its method: the header
// and the body, in frames of at most frameMax bytes. An empty body has no
// frame.
func appendContent(b []byte, channel uint16, p contentProperties, body []byte, frameMax int) []byte {
	start := len(b)
	b = beginFrame(b, frameHeader, channel)
	b = binary.BigEndian.AppendUint16(b, classBasic)
	b = append(b, 0, 0) // weight
	b = binary.BigEndian.AppendUint64(b, uint64(len(body)))
	var flags uint16
	if p.contentType != "" {
		flags |= hasContentType
	}
	if p.persistent {
		flags |= hasDeliveryMode
	}
	b = binary.BigEndian.AppendUint16(b, flags)
	if p.contentType != "" {
		b = appendShortText(b, p.contentType)
	}
	if p.persistent {
		b = append(b, deliveryPersistent)
	}
	b = endFrame(b, start)
	for len(body) > 0 {
		n := min(len(body), frameMax-frameOverhead)
		start := len(b)
		b = append(beginFrame(b, frameBody, channel), body[:n]...)
		b = endFrame(b, start)
		body = body[n:]
	}
	return b
}

// appendMethod appends the frame of a method. arguments appends its arguments;
// nil stands for none.
func appendMethod(b []byte, channel uint16, id methodID, arguments func([]byte) []byte) []byte {
	start := len(b)
	b = beginFrame(b, frameMethod, channel)
	b = binary.BigEndian.AppendUint32(b, uint32(id))
	if arguments != nil {
		b = arguments(b)
	}
	return endFrame(b, start)
}
