using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Godwit.Server.Tests.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Pages;

public class UsersTests
{
    private const string Another = "another good password";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_admin_makes_a_user_who_can_log_in()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);

        (await admin.SubmitAsync("/new-user", "user", ("Form.Name", " ada "), ("Form.Role", "Operator"), ("Form.Password", Another))).Location.ShouldBe("/users/ada?done=made");

        (await admin.GetAsync("/users/ada?done=made")).Text.ShouldContain("ada can log in now.");
        using var ada = site.NewVisitor();
        (await LoginTests.LoginAsync(ada, "ada", Another)).Status.ShouldBe(302);
        var list = (await admin.GetAsync("/users")).Text;
        list.ShouldContain("ada Operator password");
        (await site.AuditAsync()).ShouldContain("admin from 127.0.0.1: add user ada (Operator)");
    }

    [Theory]
    [InlineData("<script>alert(1)</script>", "Viewer", Another, "A name has 1 to 64 letters")]
    [InlineData("a b", "Viewer", Another, "A name has 1 to 64 letters")]
    [InlineData("ädä", "Viewer", Another, "A name has 1 to 64 letters")]
    [InlineData("../admin", "Viewer", Another, "A name has 1 to 64 letters")]
    [InlineData("a\"onmouseover=\"x", "Viewer", Another, "A name has 1 to 64 letters")]
    [InlineData("", "Viewer", Another, "A name has 1 to 64 letters")]
    [InlineData("ADMIN", "Viewer", Another, "There is a user admin already.")]
    [InlineData("ada", "Viewer", "short", "A password has 12 to 200 characters")]
    [InlineData("ada", "Emperor", Another, "There is no such role.")]
    [InlineData("ada", "7", Another, "There is no such role.")]
    [InlineData("ada", "", Another, "There is no such role.")]
    public async Task What_is_wrong_with_a_user_is_said_and_kept(string name, string role, string password, string sentence)
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);

        var page = await admin.SubmitAsync("/new-user", "user", ("Form.Name", name), ("Form.Role", role), ("Form.Password", password));

        page.Status.ShouldBe(200);
        page.Text.ShouldContain(sentence);
        page.Field("Form.Name").ShouldBe(name);
        page.Html.ShouldNotContain("<script>alert");
        page.Html.ShouldNotContain(password);
        (await site.Accounts.ListAsync(Ct)).Count.ShouldBe(1);
        (await site.AuditAsync())[0].ShouldStartWith("admin from 127.0.0.1: add user refused");
        (await admin.GetAsync("/audit")).Html.ShouldNotContain("<script>alert");
    }

    [Fact]
    public async Task A_new_password_ends_the_sessions_of_the_user_and_unlocks_it()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        using var ada = await site.VisitorOfAsync(Role.Viewer, "ada");
        for (var i = 0; i < Accounts.MostFailures; i++)
        {
            await site.Accounts.LoginAsync("ada", "wrong", Ct);
        }

        (await admin.GetAsync("/users")).Text.ShouldContain("ada locked Viewer");
        (await admin.SubmitAsync("/users/ada", "password", ("Form.Password", "short"))).Text.ShouldContain("A password has 12 to 200 characters");
        (await admin.SubmitAsync("/users/ada", "password", ("Form.Password", Another))).Location.ShouldBe("/users/ada?done=password");

        (await ada.GetAsync("/account")).Status.ShouldBe(302);
        (await site.Accounts.LoginAsync("ada", Another, Ct)).Outcome.ShouldBe(LoginOutcome.Welcome);
        (await site.AuditAsync()).ShouldContain("admin from 127.0.0.1: set password ada");
        string.Join('\n', await site.AuditAsync()).ShouldNotContain(Another);
    }

    [Fact]
    public async Task An_admin_unlocks_a_user_at_once()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        await site.AddAsync("ada", Role.Viewer);
        (await admin.GetAsync("/users/ada")).Form("unlock").ShouldBeNull();
        for (var i = 0; i < Accounts.MostFailures; i++)
        {
            await site.Accounts.LoginAsync("ada", "wrong", Ct);
        }

        (await admin.SubmitAsync("/users/ada", "unlock")).Location.ShouldBe("/users/ada?done=unlock");

        (await site.Accounts.LoginAsync("ada", Site.Password, Ct)).Outcome.ShouldBe(LoginOutcome.Welcome);
        (await site.AuditAsync()).ShouldContain("admin from 127.0.0.1: unlock user ada");
    }

    [Fact]
    public async Task An_admin_ends_all_sessions_of_a_user_and_not_its_tokens()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        using var ada = await site.VisitorOfAsync(Role.Viewer, "ada");
        var (token, _) = await site.Tokens.MakeAsync((await site.Accounts.FindAsync("ada", Ct))!, "x", Role.Viewer, 1, Ct);

        (await admin.SubmitAsync("/users/ada/ask/logout", "ask")).Location.ShouldBe("/users/ada?done=logout");

        (await ada.GetAsync("/account")).Status.ShouldBe(302);
        (await site.Tokens.FindAsync(token!, Ct)).ShouldNotBeNull();
        (await site.AuditAsync()).ShouldContain("admin from 127.0.0.1: end sessions ada");
    }

    [Fact]
    public async Task Before_a_user_is_removed_it_is_said_what_goes_with_it()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        await site.AddAsync("ada", Role.Viewer);
        var (token, _) = await site.Tokens.MakeAsync((await site.Accounts.FindAsync("ada", Ct))!, "x", Role.Viewer, 1, Ct);
        var page = await admin.GetAsync("/users/ada/ask/remove");
        page.Text.ShouldContain("Its 1 token goes with it");
        (await site.Accounts.ListAsync(Ct)).Count.ShouldBe(2);

        (await admin.SubmitAsync("/users/ada/ask/remove", "ask")).Location.ShouldBe("/users?removed=1");

        (await site.Accounts.ListAsync(Ct)).Count.ShouldBe(1);
        (await site.Tokens.FindAsync(token!, Ct)).ShouldBeNull();
        (await site.AuditAsync()).ShouldContain("admin from 127.0.0.1: remove user ada");
    }

    [Fact]
    public async Task The_only_admin_with_a_password_stays_one()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        const string Sentence = "admin is the only admin with a password: make another one first";

        (await admin.SubmitAsync("/users/admin/ask/remove", "ask")).Text.ShouldContain(Sentence);
        (await admin.SubmitAsync("/users/admin", "role", ("Form.Role", "Viewer"))).Text.ShouldContain(Sentence);

        (await site.Accounts.FindAsync("admin", Ct))!.Role.ShouldBe(Role.Admin);
        (await site.AuditAsync())[0].ShouldStartWith("admin from 127.0.0.1: set role refused admin");
    }

    [Fact]
    public async Task Two_admins_who_remove_each_other_at_once_do_not_both_go()
    {
        await using var site = await Site.StartAsync();
        for (var i = 0; i < 10; i++)
        {
            await site.Accounts.AddAsync("ada", Role.Admin, Site.Password, Ct);
            await site.Accounts.AddAsync("bob", Role.Admin, Site.Password, Ct);

            await Task.WhenAll(Task.Run(() => site.Accounts.RemoveAsync("ada", Ct)), Task.Run(() => site.Accounts.SetRoleAsync("bob", Role.Viewer, Ct)));

            (await site.Accounts.ListAsync(Ct)).Count(u => u.Role == Role.Admin).ShouldBe(1);
            await site.Accounts.RemoveAsync("bob", Ct);
        }
    }

    [Fact]
    public async Task A_role_that_does_not_exist_is_not_given()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        await site.AddAsync("ada", Role.Viewer);

        foreach (var role in new[] { "7", "-1", "Emperor", "" })
        {
            (await admin.SubmitAsync("/users/ada", "role", ("Form.Role", role))).Text.ShouldContain("There is no such role.");
        }

        (await site.Accounts.FindAsync("ada", Ct))!.Role.ShouldBe(Role.Viewer);
    }

    [Fact]
    public async Task An_admin_sees_the_tokens_of_all_and_takes_them_away()
    {
        await using var site = await Site.StartAsync();
        using var admin = await site.VisitorOfAsync(Role.Admin);
        await site.AddAsync("ada", Role.Viewer);
        var (token, _) = await site.Tokens.MakeAsync((await site.Accounts.FindAsync("ada", Ct))!, "<b>nightly</b>", Role.Viewer, 1, Ct);
        foreach (var path in new[] { "/users", "/users/ada" })
        {
            var page = await admin.GetAsync(path);
            page.Text.ShouldContain("<b>nightly</b>");
            page.Html.ShouldNotContain("<b>nightly");
        }

        (await admin.SubmitAsync($"/tokens/{token!.Split('_')[1]}/remove", "remove")).Location.ShouldBe("/users/ada");

        (await site.Tokens.FindAsync(token, Ct)).ShouldBeNull();
        (await site.AuditAsync())[0].ShouldBe($"admin from 127.0.0.1: take token away {token.Split('_')[1]} (<b>nightly</b>, of ada)");
    }
}
