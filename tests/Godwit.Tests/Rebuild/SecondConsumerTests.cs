using Godwit.ClickHouse;
using Godwit.Rebuild;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Rebuild;

/// <summary>What is asked for, and what it is called.</summary>
public sealed class SecondConsumerTests
{
    [Theory]
    [InlineData("readers", "readers_godwit_abcd1234")]
    [InlineData("readers_godwit_zzzz9999", "readers_godwit_abcd1234")]
    [InlineData("godwit", "godwit_godwit_abcd1234")]
    public void A_second_group_is_named_after_the_first_one_and_the_run_that_made_it(string first, string second) =>
        SecondConsumer.GroupFor(first, "abcd1234").ShouldBe(second);

    [Theory]
    [InlineData("auto", "uuid", "--identity says what is the same row to --strategy second-consumer; no other strategy asks for it.")]
    [InlineData("second-consumer", "(uuid", "'(uuid' does not stand by itself")]
    public void A_request_says_what_is_wrong_with_its_identity(string strategy, string identity, string sentence) =>
        new RebuildRequest { Table = new QualifiedName("db", "t"), OrderBy = "a", Strategy = strategy, Identity = identity }.Problems().ShouldHaveSingleItem().ShouldStartWith(sentence);
}
