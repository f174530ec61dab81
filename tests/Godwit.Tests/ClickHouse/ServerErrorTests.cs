using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.Tests.ClickHouse;

public class ServerErrorTests
{
    [Theory]
    [InlineData(
        "Code: 60. DB::Exception: Table gw.nope does not exist. Maybe you meant system.one?. (UNKNOWN_TABLE) (version 26.7.2.1)\n",
        60, "UNKNOWN_TABLE", "Table gw.nope does not exist. Maybe you meant system.one?.")]
    [InlineData(
        "Code: 60, e.displayText() = DB::Exception: Table default.nope doesn't exist., e.what() = DB::Exception\n",
        60, "", "Table default.nope doesn't exist.")]
    [InlineData(
        "Code: 60, e.displayText() = DB::Exception: Table x doesn't exist. (version 20.8.1.1 (official build)), e.what() = DB::Exception",
        60, "", "Table x doesn't exist.")]
    [InlineData(
        "Code: 60, e.displayText() = DB::Exception: Gone, e.what() = DB::Exception, Stack trace:\n\n0. clickhouse-server(StackTrace) [0x1]\n",
        60, "", "Gone")]
    [InlineData(
        "Code: 519. DB::NetException: All failed. Log: \n\nCode: 210. DB::NetException: Refused. (NETWORK_ERROR) (version 26.7.2.1)\n\n. "
        + "(NO_REMOTE_SHARD_AVAILABLE) (version 26.7.2.1)",
        519, "NO_REMOTE_SHARD_AVAILABLE", "All failed. Log: \n\nCode: 210. DB::NetException: Refused. (NETWORK_ERROR)\n\n.")]
    public void Both_dialects_are_taken_apart(string text, int code, string name, string message)
        => ServerError.Parse(text).ShouldBe(new ServerError(code, name, message));

    [Theory]
    [InlineData("<html>502 Bad Gateway</html>")]
    [InlineData("Something said Code: 60. DB::Exception: x")]
    [InlineData("")]
    public void A_code_counts_only_at_the_start(string text) => ServerError.Parse(text).ShouldBeNull();

    [Fact]
    public void The_header_wins() => ServerError.Parse("words 12", 241).ShouldBe(new ServerError(241, "", "words 12"));

    [Theory]
    [InlineData("SELECT * FROM remote('h:1', system.one, 'default', 'topsecret')")]
    [InlineData("failed at position 21 ((): remote('h:1', 'a', 'b', 'default', 'topsec")]
    [InlineData("ENGINE = S3('http://h/b/x.csv', 'AKIAKEY', 'topsecret', 'CSV')")]
    [InlineData("ENGINE = MySQL('h:1', concat('d', '(b'), 't', 'me', 'topsecret')")]
    [InlineData("SOURCE(CLICKHOUSE(HOST 'h' USER 'me' PASSWORD 'topsecret'))")]
    [InlineData("IDENTIFIED WITH sha256_password BY 'topsecret'")]
    [InlineData("s3(conf, secret_access_key = 'topsecret')")]
    [InlineData("kafka_sasl_password = 'top\\'secret'")]
    [InlineData("mongodb://me:topsecret@h:1/db")]
    public void Secrets_are_masked_by_the_shape_of_sql(string text)
    {
        var masked = SecretMask.Apply(text, Secret.None, "");
        masked.ShouldContain("***");
        masked.ShouldNotContain("topsec");
        masked.ShouldNotContain("secret'");
    }

    [Fact]
    public void Secrets_of_the_sent_statement_are_masked_wherever_they_turn_up()
    {
        var sql = "SELECT * FROM remote('h:1', system.one, 'default', 'top\\'secret')";
        SecretMask.Apply("default: position 3: , 'top\\'secret' or top'secret", Secret.None, sql).ShouldBe("default: position 3: , '***' or ***");
    }

    [Fact]
    public void The_own_password_is_masked_in_every_spelling()
    {
        var masked = SecretMask.Apply(@"a it's/x b it\'s/x c it''s/x d it%27s%2Fx", new Secret("it's/x"), "");
        masked.ShouldBe("a *** b *** c *** d ***");
    }

    [Fact]
    public void Ordinary_words_are_left_alone()
    {
        var text = "Table db.remote_events doesn't exist. Maybe 'other' (or 'third')?";
        SecretMask.Apply(text, Secret.None, "SELECT 'other' FROM db.remote_events").ShouldBe(text);
    }

    [Fact]
    public void Every_constant_has_a_name_and_only_known_ones_are_transient()
    {
        var codes = typeof(ClickHouseErrorCodes).GetFields().Where(f => f.IsLiteral).ToList();
        codes.Count.ShouldBeGreaterThan(50);
        foreach (var field in codes)
        {
            var name = ClickHouseErrorCodes.NameOf((int)field.GetRawConstantValue()!).ShouldNotBeNull(field.Name);
            name.Replace("_", "", StringComparison.Ordinal).ShouldBe(field.Name, StringCompareShould.IgnoreCase);
        }

        ClickHouseErrorCodes.IsTransient(ClickHouseErrorCodes.TooManyParts).ShouldBeTrue();
        ClickHouseErrorCodes.IsTransient(ClickHouseErrorCodes.UnknownTable).ShouldBeFalse();
        ClickHouseErrorCodes.IsTransient(123456).ShouldBeFalse();
    }
}
