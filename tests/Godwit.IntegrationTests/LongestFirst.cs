using Xunit.Sdk;
using Xunit.v3;

[assembly: Xunit.TestCollectionOrderer(typeof(Godwit.IntegrationTests.LongestFirst))]

namespace Godwit.IntegrationTests;

/// <summary>Begins with the classes that take minutes: one that began last would be left alone at the end, with processors that have nothing to do.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = ["Crashes.FeedCrashWalk", "Crashes.", "StressTests", "SecondConsumerTroubleTests", "SecondConsumerTests", "LabTests", "Kafka.", "Packs."];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection => [.. testCollections.OrderBy(c => Rank(c.TestCollectionDisplayName))];

    private static int Rank(string name) => Array.FindIndex(Long, l => name.Contains(l, StringComparison.Ordinal)) is >= 0 and var at ? at : Long.Length;
}
