using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Metadata;

/// <summary>What every store does with people and programs. Each test has a store of its own, and two servers that use it.</summary>
public abstract class AccountStoreContract : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = StoreSamples.Noon;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private IAccountStore _one = null!;
    private IAccountStore _other = null!;

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public virtual ValueTask InitializeAsync()
    {
        (_one, _other) = (Open(), Open());
        return ValueTask.CompletedTask;
    }

    public virtual async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _other.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_user_comes_back_as_it_was_stored_and_changed()
    {
        var ada = Admin("it's \"ada\" ☃") with { Subject = "https://id|7", SeenAt = Noon + Hour, Failures = 3, LockedUntil = Noon + (2 * Hour), Stamp = "s" };
        (await _one.AddUserAsync(ada, ct: Ct)).ShouldBeTrue();
        (await _other.FindUserAsync(ada.Name, Ct)).ShouldBe(ada);
        (await _other.FindSubjectAsync(ada.Subject!, Ct)).ShouldBe(ada);

        var changed = ada with { Failures = 0, LockedUntil = null, Stamp = "t" };
        (await _other.ChangeUserAsync(ada.Name, _ => changed, Ct)).ShouldBe(changed);
        (await _one.ListUsersAsync(Ct)).ShouldBe([changed]);
        (await _one.ChangeUserAsync(ada.Name, _ => null, Ct)).ShouldBeNull();
        (await _one.ChangeUserAsync("nobody", u => u, Ct)).ShouldBeNull();
        (await _one.FindUserAsync(ada.Name.ToUpperInvariant(), Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task A_name_and_a_subject_are_taken_once()
    {
        (await _one.AddUserAsync(Admin("ada") with { Subject = "s" }, ct: Ct)).ShouldBeTrue();
        (await _other.AddUserAsync(Admin("ada"), ct: Ct)).ShouldBeFalse();
        (await _other.AddUserAsync(Admin("eve") with { Subject = "s" }, ct: Ct)).ShouldBeFalse();
        (await _other.AddUserAsync(Admin("bob"), ct: Ct)).ShouldBeTrue();
        (await _other.AddUserAsync(Admin("cy"), ct: Ct)).ShouldBeTrue();
    }

    [Fact]
    public async Task Of_two_first_admins_at_once_one_is_made()
    {
        var made = await Task.WhenAll(Both((store, i) => store.AddUserAsync(Admin($"first{i}"), onlyAsFirst: true, Ct)));

        made.ShouldBe([true, false], ignoreOrder: true);
        (await _one.ListUsersAsync(Ct)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Two_admins_who_take_one_another_away_at_once_do_not_both_succeed()
    {
        await _one.AddUserAsync(Admin("user0"), ct: Ct);
        await _one.AddUserAsync(Admin("user1"), ct: Ct);
        await _one.AddUserAsync(Admin("without password") with { Password = null }, ct: Ct);

        var done = await Task.WhenAll(Both(async (store, i) =>
            i == 0 ? await store.RemoveUserAsync("user1", Ct) : await store.ChangeUserAsync("user0", u => u with { Role = Role.Viewer }, Ct) is not null));

        done.ShouldBe([true, false], ignoreOrder: true);
        (await _one.ListUsersAsync(Ct)).Count(u => u.KeepsDoor).ShouldBe(1);
    }

    [Fact]
    public async Task Wrong_passwords_that_come_at_once_are_all_counted()
    {
        await _one.AddUserAsync(Admin("ada"), ct: Ct);

        await Task.WhenAll(Enumerable.Range(0, 5).SelectMany(_ => Both((store, _) => store.ChangeUserAsync("ada", u => u with { Failures = u.Failures + 1 }, Ct))));

        (await _one.FindUserAsync("ada", Ct))!.Failures.ShouldBe(10);
    }

    [Fact]
    public async Task Sessions_and_tokens_go_with_their_user()
    {
        await _one.AddUserAsync(Admin("ada"), ct: Ct);
        await _one.AddUserAsync(Admin("bob"), ct: Ct);
        SessionRecord session = new("h1", "ada", "s", Noon, Noon + Hour), others = session with { Id = "h2", User = "bob" };
        TokenRecord token = new("t1", "hash", "CI's \"job\"", "ada", Role.Operator, Noon, Noon + Hour), newer = token with { Id = "t2", User = "bob", CreatedAt = Noon + Hour };
        await _one.AddSessionAsync(session, Ct);
        await _one.AddSessionAsync(others, Ct);
        (await _one.AddTokenAsync(token, Ct)).ShouldBeTrue();
        (await _one.AddTokenAsync(newer, Ct)).ShouldBeTrue();
        (await _one.AddTokenAsync(token with { Id = "t3", User = "nobody" }, Ct)).ShouldBeFalse();
        (await _other.FindSessionAsync("h1", Ct)).ShouldBe(session);
        (await _other.FindTokenAsync("t1", Ct)).ShouldBe(token);
        (await _other.ListTokensAsync(Ct)).ShouldBe([newer, token]);

        (await _other.RemoveUserAsync("ada", Ct)).ShouldBeTrue();

        (await _one.FindSessionAsync("h1", Ct)).ShouldBeNull();
        (await _one.FindSessionAsync("h2", Ct)).ShouldBe(others);
        (await _one.ListTokensAsync(Ct)).ShouldBe([newer]);
        (await _one.RemoveUserAsync("ada", Ct)).ShouldBeFalse();
    }

    [Fact]
    public async Task Sessions_are_prolonged_ended_and_swept_and_tokens_touched_and_taken_away()
    {
        await _one.AddUserAsync(Admin("ada"), ct: Ct);
        foreach (var id in new[] { "short", "long", "ended" })
        {
            await _one.AddSessionAsync(new SessionRecord(id, "ada", "s", Noon, Noon + Hour), Ct);
        }

        await _other.ProlongSessionAsync("long", Noon + (3 * Hour), Ct);
        await _other.RemoveSessionAsync("ended", Ct);
        (await _one.FindSessionAsync("ended", Ct)).ShouldBeNull();
        await _other.ProlongSessionAsync("ended", Noon + (3 * Hour), Ct);
        await _one.SweepAsync(Noon + (2 * Hour), Ct);
        (await _one.FindSessionAsync("short", Ct)).ShouldBeNull();
        (await _one.FindSessionAsync("ended", Ct)).ShouldBeNull();
        (await _one.FindSessionAsync("long", Ct))!.ExpiresAt.ShouldBe(Noon + (3 * Hour));

        await _one.AddTokenAsync(new TokenRecord("t", "hash", "n", "ada", Role.Viewer, Noon, Noon + Hour), Ct);
        await _other.TouchTokenAsync("t", Noon + Hour, Ct);
        (await _one.FindTokenAsync("t", Ct))!.UsedAt.ShouldBe(Noon + Hour);
        await _other.RemoveTokenAsync("t", Ct);
        (await _one.FindTokenAsync("t", Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task Keys_are_kept_and_replaced()
    {
        await _one.PutKeyAsync("b", "<b/>", Ct);
        await _other.PutKeyAsync("a", "<a/>", Ct);
        await _one.PutKeyAsync("b", "<b new='yes'/>", Ct);

        (await _other.ListKeysAsync(Ct)).ShouldBe(["<a/>", "<b new='yes'/>"]);
    }

    [Fact]
    public async Task Of_two_requests_with_one_key_at_once_one_is_done_and_its_answer_kept_for_a_day()
    {
        var begun = await Task.WhenAll(Both((store, _) => store.BeginAnswerAsync("ada", "k", "r", Noon, Ct)));
        begun.ShouldBe([null, new AnswerRecord("r", null, null)], ignoreOrder: true);
        (await _one.BeginAnswerAsync("bob", "k", "r", Noon, Ct)).ShouldBeNull();

        await _one.EndAnswerAsync("ada", "k", 201, """{"it's":1}""", Ct);
        (await _other.BeginAnswerAsync("ada", "k", "another", Noon + (23 * Hour), Ct)).ShouldBe(new AnswerRecord("r", 201, """{"it's":1}"""));
        (await _other.BeginAnswerAsync("ada", "k", "r", Noon + (25 * Hour), Ct)).ShouldBeNull();

        await _one.EndAnswerAsync("ada", "k", null, null, Ct);
        (await _other.BeginAnswerAsync("ada", "k", "r", Noon + (25 * Hour), Ct)).ShouldBeNull();
    }

    /// <summary>Opens the test's store, as another server would.</summary>
    private protected abstract IAccountStore Open();

    private static UserRecord Admin(string name) => new(name, Role.Admin, Noon) { Password = "hash" };

    private IEnumerable<Task<T>> Both<T>(Func<IAccountStore, int, Task<T>> act) => [Task.Run(() => act(_one, 0), Ct), Task.Run(() => act(_other, 1), Ct)];
}
