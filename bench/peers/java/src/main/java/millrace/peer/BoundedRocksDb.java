package millrace.peer;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.WriteBufferManager;

/** All stores share one block cache and one bound of memtables, as Kafka's documentation has it ("Memory Management"). */
public final class BoundedRocksDb implements RocksDBConfigSetter {
  private static final Cache CACHE = new LRUCache(192L << 20);
  private static final WriteBufferManager BUFFERS = new WriteBufferManager(96L << 20, CACHE);

  @Override
  public void setConfig(String store, Options options, Map<String, Object> configs) {
    var table = (BlockBasedTableConfig) options.tableFormatConfig();
    table.setBlockCache(CACHE);
    table.setCacheIndexAndFilterBlocks(true);
    options.setWriteBufferManager(BUFFERS);
  }

  @Override
  public void close(String store, Options options) {
    // Both are shared, and live as long as the process.
  }
}
