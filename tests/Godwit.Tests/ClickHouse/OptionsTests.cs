using System.Text.Json;
using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.Tests.ClickHouse;

public class OptionsTests
{
    [Theory]
    [InlineData("http://host:8123", "http://host:8123/", "default", "")]
    [InlineData("http://host:8123/", "http://host:8123/", "default", "")]
    [InlineData("http://host", "http://host:8123/", "default", "")]
    [InlineData("https://host", "https://host:8443/", "default", "")]
    [InlineData("http://host:80", "http://host/", "default", "")]
    [InlineData("http://[::1]", "http://[::1]:8123/", "default", "")]
    [InlineData("http://me:p%40ss%2F%3A%25@host:1/", "http://host:1/", "me", "p@ss/:%")]
    [InlineData("https://me@host", "https://host:8443/", "me", "")]
    [InlineData("http://:pw@host", "http://host:8123/", "default", "pw")]
    public void Urls_are_read_and_user_and_password_taken_out(string text, string url, string user, string password)
    {
        ClickHouseOptions.TryParse(text, out var options, out var error).ShouldBeTrue(error);
        options.ShouldNotBeNull();
        options.Url.AbsoluteUri.ShouldBe(url);
        options.Url.UserInfo.ShouldBe("");
        options.User.ShouldBe(user);
        options.Password.Reveal().ShouldBe(password);
    }

    [Theory]
    [InlineData(null, "not the URL")]
    [InlineData("host:8123", "http")]
    [InlineData("tcp://host:9000", "Only http and https")]
    [InlineData("clickhouse://host:9000", "Only http and https")]
    [InlineData("http://me:hush@host/db", "ends after the port")]
    [InlineData("http://me:hush@host/?database=x", "ends after the port")]
    [InlineData("http://me:hush@host/#x", "ends after the port")]
    [InlineData("http://me:hush%0A@host/", "control character")]
    [InlineData("http://me:hush%20@host/", "blank")]
    public void Other_urls_are_refused_with_a_sentence_and_without_their_password(string? text, string problem)
    {
        ClickHouseOptions.TryParse(text, out var options, out var error).ShouldBeFalse();
        options.ShouldBeNull();
        error.ShouldNotBeNull();
        error.ShouldContain(problem);
        error.ShouldNotContain("hush");
    }

    [Fact]
    public void All_problems_are_listed_at_once()
    {
        var options = new ClickHouseOptions
        {
            Url = new Uri("http://u:hush@host/"),
            User = "",
            QueryTimeout = TimeSpan.Zero,
            CaCertificateFile = "/no/such/file.pem",
        };
        options.Problems().Count.ShouldBe(4);
        var e = Should.Throw<ArgumentException>(() => new ClickHouseGateway(options));
        e.Message.ShouldContain("/no/such/file.pem");
        e.Message.ShouldNotContain("hush");
    }

    [Fact]
    public void Nothing_prints_a_secret()
    {
        var secret = new Secret("hush");
        var options = new ClickHouseOptions { Url = new Uri("http://u:hush@host/"), Password = secret };
        using var gateway = new ClickHouseGateway(options with { Url = new Uri("http://host:1/") });
        object[] printed = [secret, options, gateway, $"{secret}", JsonSerializer.Serialize(secret)];
        foreach (var thing in printed)
        {
            thing.ToString()!.ShouldNotContain("hush");
        }

        secret.ToString().ShouldBe("***");
        secret.Reveal().ShouldBe("hush");
        secret.ShouldBe(new Secret("hush"));
    }
}
