package page

// The abilities to change settings.
const (
	// AbilityAPIKey lets somebody read the key, too, and see which agents use
	// it with what success. It is what all:settings means where it is about
	// agents.
	AbilityAPIKey        = "all:api_key_settings"
	AbilityTokenSettings = "all:personal_access_token_settings"
)

// AbilityUsers lets somebody manage users.
const AbilityUsers = "all:users"

// AbilityActivitySettings lets a user change how long entries are kept.
const AbilityActivitySettings = "all:activity_logs_settings"
