using System.Text.RegularExpressions;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Godwit.Server.Tests.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Pages;

public partial class AccountTests
{
    private const string Another = "another good password";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_password_ends_all_sessions_but_the_one_it_was_set_in()
    {
        await using var site = await Site.StartAsync();
        using var here = await site.VisitorOfAsync(Role.Viewer);
        using var elsewhere = await site.VisitorOfAsync(Role.Viewer);
        var before = here.Cookie("godwit_session");

        (await here.SubmitAsync("/account", "password", ("Form.Present", Site.Password), ("Form.Wanted", Another), ("Form.Again", Another))).Location.ShouldBe("/account?done=password");

        (await here.GetAsync("/account?done=password")).Text.ShouldContain("Your password was changed.");
        here.Cookie("godwit_session").ShouldNotBe(before);
        (await elsewhere.GetAsync("/account")).Status.ShouldBe(302);
        (await site.Accounts.LoginAsync("viewer", Another, Ct)).Outcome.ShouldBe(LoginOutcome.Welcome);
        (await site.AuditAsync()).ShouldContain("viewer from 127.0.0.1: change password viewer");
    }

    [Theory]
    [InlineData("wrong", Another, Another, "The present password is wrong.", "change password refused viewer (wrong password)")]
    [InlineData(Site.Password, Another, "something else here", "The two new passwords are not the same.", null)]
    [InlineData(Site.Password, "short", "short", "A password has 12 to 200 characters", null)]
    public async Task What_is_wrong_with_another_password_is_said(string present, string wanted, string again, string sentence, string? audit)
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);

        var page = await browser.SubmitAsync("/account", "password", ("Form.Present", present), ("Form.Wanted", wanted), ("Form.Again", again));

        page.Text.ShouldContain(sentence);
        page.Html.ShouldNotContain(wanted);
        (await site.Accounts.LoginAsync("viewer", Site.Password, Ct)).Outcome.ShouldBe(LoginOutcome.Welcome);
        (audit is null || (await site.AuditAsync()).Any(a => a.EndsWith(audit, StringComparison.Ordinal))).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_finds_an_open_browser_cannot_try_passwords_for_ever()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        for (var i = 0; i < Accounts.MostFailures; i++)
        {
            await browser.SubmitAsync("/account", "password", ("Form.Present", $"guess {i}"), ("Form.Wanted", Another), ("Form.Again", Another));
        }

        (await browser.SubmitAsync("/account", "password", ("Form.Present", Site.Password), ("Form.Wanted", Another), ("Form.Again", Another))).Text.ShouldContain("The present password is wrong.");
        (await site.Accounts.FindAsync("viewer", Ct))!.LockedUntil.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_token_is_shown_once_and_works()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);

        var page = await browser.SubmitAsync("/account", "token", ("Form.For", "nightly <pipeline>"), ("Form.Role", "Viewer"), ("Form.Days", "30"));

        var token = TokenForm().Match(page.Html).Value;
        var (user, record, role) = (await site.Tokens.FindAsync(token, Ct))!.Value;
        (user.Name, role, record.ExpiresAt - record.CreatedAt).ShouldBe(("operator", Role.Viewer, TimeSpan.FromDays(30)));
        var again = await browser.GetAsync("/account");
        again.Text.ShouldContain("nightly <pipeline>");
        again.Html.ShouldNotContain(token.Split('_')[2]);
        (await site.AuditAsync())[0].ShouldBe($"operator from 127.0.0.1: make token {record.Id} (nightly <pipeline>, Viewer, 30 days)");
        string.Join('\n', site.Log.Concat(await site.AuditAsync())).ShouldNotContain(token.Split('_')[2]);
    }

    [Theory]
    [InlineData("x", "Admin", "30", "operator is Operator, so its token cannot be Admin.")]
    [InlineData("x", "7", "30", "There is no such role.")]
    [InlineData("", "Viewer", "30", "Say what the token is for")]
    [InlineData("x", "Viewer", "0", "A token is good for 1 to 366 days.")]
    [InlineData("x", "Viewer", "367", "A token is good for 1 to 366 days.")]
    [InlineData("x", "Viewer", "99999999999999999999", "A token is good for 1 to 366 days.")]
    [InlineData("x", "Viewer", "<b>", "A token is good for 1 to 366 days.")]
    public async Task What_is_wrong_with_a_token_is_said(string what, string role, string days, string sentence)
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);

        var page = await browser.SubmitAsync("/account", "token", ("Form.For", what), ("Form.Role", role), ("Form.Days", days));

        page.Text.ShouldContain(sentence);
        (page.Field("Form.For"), page.Field("Form.Days")).ShouldBe((what, days));
        (await site.Tokens.ListAsync(null, Ct)).ShouldBeEmpty();
        (await site.AuditAsync())[0].ShouldStartWith("operator from 127.0.0.1: make token refused operator");
    }

    [Fact]
    public async Task Everybody_takes_its_own_tokens_away_and_does_not_even_learn_of_those_of_others()
    {
        await using var site = await Site.StartAsync();
        using var ada = await site.VisitorOfAsync(Role.Operator, "ada");
        using var bob = await site.VisitorOfAsync(Role.Operator, "bob");
        var (token, _) = await site.Tokens.MakeAsync((await site.Accounts.FindAsync("ada", Ct))!, "secret plan", Role.Viewer, 1, Ct);
        var path = $"/tokens/{token!.Split('_')[1]}/remove";

        var refused = await bob.GetAsync(path);
        refused.Status.ShouldBe(404);
        refused.Text.ShouldNotContain("secret plan");
        (await bob.GetAsync("/account")).Text.ShouldNotContain("secret plan");
        var form = (await ada.GetAsync(path)).Form("remove")!.Value;
        var own = (await bob.GetAsync("/account")).Form("logout-all")!.Value.Hidden.Where(h => h.Name != "_handler");
        (await bob.PostAsync(path, [.. own, ("_handler", "remove")])).Status.ShouldBe(404);
        (await site.Tokens.FindAsync(token, Ct)).ShouldNotBeNull();

        (await ada.PostAsync(form.Action!, [.. form.Hidden])).Location.ShouldBe("/account");
        (await site.Tokens.FindAsync(token, Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task A_token_says_when_it_was_used_last_and_that_it_has_expired()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        var (token, _) = await site.Tokens.MakeAsync((await site.Accounts.FindAsync("viewer", Ct))!, "nightly", Role.Viewer, 1, Ct);
        (await browser.GetAsync("/account")).Html.ShouldContain("<td>never</td>");
        await site.Tokens.FindAsync(token!, Ct);
        (await browser.GetAsync("/account")).Html.ShouldNotContain("<td>never</td>");

        site.Clock.Advance(TimeSpan.FromDays(1));
        using var later = await site.VisitorOfAsync(Role.Viewer);
        (await later.GetAsync("/account")).Text.ShouldContain("expired");
        (await site.Tokens.FindAsync(token!, Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task Everybody_can_log_out_everywhere()
    {
        await using var site = await Site.StartAsync();
        using var here = await site.VisitorOfAsync(Role.Viewer);
        using var elsewhere = await site.VisitorOfAsync(Role.Viewer);

        (await here.SubmitAsync("/account", "logout-all")).Location.ShouldBe("/login");

        here.Cookie("godwit_session").ShouldBeNull();
        (await elsewhere.GetAsync("/account")).Status.ShouldBe(302);
        (await site.AuditAsync()).ShouldContain("viewer from 127.0.0.1: end sessions viewer");
    }

    [GeneratedRegex("godwit_[0-9a-f]{12}_[0-9a-f]{48}")]
    private static partial Regex TokenForm();
}
