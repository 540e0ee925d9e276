package account

import (
	"trento/ui/api"
	"trento/ui/table"
)

// Lists sets the filters and orders of the lists of users and tokens of the API.
func (s *Pages) Lists(lists *api.Lists) {
	lists.Users = table.Rules(s.users.usersTable(), s.users.UserItems)
	lists.Tokens = table.Rules(&tokensTable, s.userTokens.tokenItems)
}
