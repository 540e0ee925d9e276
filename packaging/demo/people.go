package demo

import (
	"crypto/rand"
	"errors"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
)

// person is somebody who uses the console.
type person struct {
	username, fullname string
	abilities          []int // ids; none: the person can only read
	address, agent     string
}

// The people of the demo. Nobody knows their passwords: who wants to be one of
// them gives them another one, as admin.
var (
	keller = person{"anna.keller", "Anna Keller", []int{1}, "10.32.200.14", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
	nowak  = person{"tomasz.nowak", "Tomasz Nowak", []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 35}, "10.32.200.27", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"}
	raman  = person{"priya.raman", "Priya Raman", []int{7, 8, 11, 14, 20}, "10.32.200.31", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"}
	weber  = person{"jonas.weber", "Jonas Weber", nil, "10.32.201.8", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"}
	santos = person{"maria.santos", "Maria Santos", []int{17}, "10.32.202.40", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"}
	brandt = person{"lukas.brandt", "Lukas Brandt", []int{7, 8, 9, 10}, "10.32.200.19", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"}
)

// user returns the user of a name, as it is now.
func (p *history) user(name string) (user *store.User, err error) {
	err = p.store.View(func(tx *store.Tx) (err error) {
		user, err = tx.UserNamed(name)
		return err
	})
	return user, err
}

// actor returns a person as the actor of a change.
func (x person) actor() store.Actor { return store.Actor{Name: x.username} }

// createUser returns a step of the past in which a user creates another one.
func createUser(by string, new person) func(*history) error {
	return func(p *history) error {
		creator, err := p.user(by)
		if err != nil {
			return err
		}
		password := auth.GeneratePassword()
		_, err = p.auth.CreateUser(p.ctx, &auth.Identity{User: creator, Via: auth.ViaSession}, auth.NewUser{
			Username: new.username, Fullname: new.fullname, Email: new.username + "@example.com", Abilities: new.abilities, Enabled: true, Timezone: store.DefaultTimezone,
			Password: password, PasswordConfirmation: password,
		})
		return err
	}
}

// signIn returns a sign-in, which ends before the next one.
func signIn(x person) func(*history) error {
	return func(p *history) error {
		user, err := p.user(x.username)
		if err != nil {
			return err
		}
		in := store.SignIn{Session: store.Session{
			UserID: user.ID, Kind: store.ConsoleSession, Method: store.MethodPassword, Address: x.address, UserAgent: x.agent,
			CreatedAt: p.clock.Now(), LastSeenAt: p.clock.Now(), ExpiresAt: p.clock.Now().Add(sessionLifetime),
		}}
		rand.Read(in.Hash[:])
		_, err = p.store.SignIn(p.ctx, in)
		return err
	}
}

const sessionLifetime = 6 * time.Hour

// failSignIn returns a sign-in with a wrong password.
func failSignIn(x person) func(*history) error {
	return func(p *history) error { return p.store.SignInFailed(p.ctx, x.username) }
}

// disable returns the end of the access of a person.
func disable(by, x person) func(*history) error {
	return func(p *history) error {
		manager, err := p.user(by.username)
		if err != nil {
			return err
		}
		user, err := p.user(x.username)
		if err != nil {
			return err
		}
		_, err = p.auth.ChangeUser(p.ctx, &auth.Identity{User: manager, Via: auth.ViaSession}, user.ID, user.LockVersion, auth.UserChange{Enabled: new(bool)})
		return err
	}
}

// saveView returns that a user saves a view of a list.
func saveView(username string, view store.SavedView) func(*history) error {
	return func(p *history) error {
		user, err := p.user(username)
		if err != nil {
			return err
		}
		return p.store.SaveView(p.ctx, user.ID, view)
	}
}

// shareView returns that a user saves a view of a list for everybody.
func shareView(username string, view store.SavedView) func(*history) error {
	return func(p *history) error {
		user, err := p.user(username)
		if err != nil {
			return err
		}
		_, err = p.store.ShareView(p.ctx, store.Actor{Name: username}, user.ID, view)
		return err
	}
}

// tagLandscape returns that somebody gives tags to everything: its stage, and
// what is special about it.
func tagLandscape(by person) func(*history) error {
	return func(p *history) error {
		type tagged struct {
			kind store.TagKind
			id   string
			tag  string
		}
		var all []tagged
		err := p.store.View(func(tx *store.Tx) error {
			for s, err := range tx.SAPSystems() {
				if err != nil {
					return err
				}
				all = append(all, tagged{store.SAPSystemTag, string(s.ID), stageOf(s.SID)})
				all = append(all, tagged{store.DatabaseTag, string(s.DatabaseID), stageOf(s.SID)})
				if s.SID == "S4P" {
					all = append(all, tagged{store.SAPSystemTag, string(s.ID), "24x7"})
				}
			}
			for c, err := range tx.Clusters() {
				if err != nil {
					return err
				}
				for _, sid := range append([]string{c.SID()}, c.AdditionalSIDs()...) {
					if sid != "" {
						all = append(all, tagged{store.ClusterTag, string(c.ID), stageOf(sid)})
						break
					}
				}
			}
			window := 0
			for h, err := range tx.Hosts() {
				if err != nil {
					return err
				}
				if window++; len(h.Hostname) >= 3 && window%3 > 0 {
					all = append(all, tagged{store.HostTag, string(h.ID), []string{"", "patch-a", "patch-b"}[window%3]})
				}
			}
			return nil
		})
		for _, t := range all {
			err = errors.Join(err, p.store.AddTag(p.ctx, by.actor(), t.kind, t.id, t.tag))
			p.clock.set(p.clock.Now().Add(2 * time.Second))
		}
		return err
	}
}

// stageOf returns the stage of a system, which its SID ends with.
func stageOf(sid string) string {
	if len(sid) == 3 {
		switch sid[2] {
		case 'P':
			return "production"
		case 'Q':
			return "quality"
		case 'D':
			return "development"
		}
	}
	return "sandbox"
}

// selectChecks selects all checks that apply on every third cluster and host.
// About one in six of them fails; with all of them selected, hardly a cluster
// would be passing.
func selectChecks(by person) func(*history) error {
	return func(p *history) error {
		catalogue := check.NewCatalogue(check.Builtin())
		var subjects []*check.Subject
		err := p.store.View(func(tx *store.Tx) (err error) {
			subjects, err = allSubjects(tx)
			return err
		})
		for i, s := range subjects {
			if i%3 > 0 {
				continue
			}
			var ids []string
			for _, c := range catalogue.Checks {
				if c.AppliesTo(p.ctx, s.Environment) {
					ids = append(ids, c.ID)
				}
			}
			if s.Kind == check.ClusterSubject {
				err = errors.Join(err, p.store.SelectClusterChecks(p.ctx, by.actor(), landscape.ClusterID(s.ID), ids))
			} else {
				err = errors.Join(err, p.store.SelectHostChecks(p.ctx, by.actor(), landscape.HostID(s.ID), ids))
			}
			p.clock.set(p.clock.Now().Add(5 * time.Second))
		}
		return err
	}
}

// allSubjects returns all clusters and hosts that can be checked.
func allSubjects(tx *store.Tx) (subjects []*check.Subject, err error) {
	add := func(kind check.SubjectKind, id string) {
		s, failure := tx.CheckSubject(kind, id)
		switch {
		case failure == nil:
			subjects = append(subjects, s)
		case !errors.Is(failure, store.ErrNotCheckable):
			err = errors.Join(err, failure)
		}
	}
	for c, err := range tx.Clusters() {
		if err != nil {
			return nil, err
		}
		add(check.ClusterSubject, string(c.ID))
	}
	for h, err := range tx.Hosts() {
		if err != nil {
			return nil, err
		}
		add(check.HostSubject, string(h.ID))
	}
	return subjects, err
}
