// Every text of the page in English and Chinese: one table, [English, 中文]; {name} is filled in.

export const LANGUAGES = ["en", "zh"];

const STRINGS = {
  title: ["Watch it learn", "看它学习"],
  subtitle: ["{units} hidden units learn to tell “{yes}” from “{no}”", "{units} 个隐藏单元学习区分“{yes}”与“{no}”"],
  language: ["中文", "English"],
  languageLabel: ["Language: change to Chinese", "语言：切换为英文"],
  theme: ["Theme", "主题"],
  "theme.auto": ["automatic", "自动"],
  "theme.light": ["light", "浅色"],
  "theme.dark": ["dark", "深色"],

  transport: ["Training", "训练"],
  play: ["Play", "播放"],
  pause: ["Pause", "暂停"],
  stepLabel: ["Take steps: {n}", "前进步数：{n}"],
  back: ["Back", "后退"],
  backLabel: ["Back to the snapshot before", "回到上一个快照"],
  reset: ["Reset", "重置"],
  resetLabel: ["Reset to the first weights", "回到初始权重"],
  speed: ["Speed", "速度"],
  "speed.slow": ["slow", "慢"],
  "speed.medium": ["medium", "中"],
  "speed.full": ["full", "全速"],
  iteration: ["iteration", "迭代"],
  cost: ["cost J", "代价 J"],
  onTrain: ["right, train", "训练集正确"],
  onTest: ["right, test", "测试集正确"],
  learningRate: ["learning rate", "学习率"],
  learningRateNumber: ["Learning rate, as a number", "学习率（数值）"],

  setup: ["Set-up", "设置"],
  setupNote: ["A change here begins anew; α goes on.", "更改这里的设置会重新开始；更改 α 则继续。"],
  hiddenUnits: ["hidden units", "隐藏单元"],
  activation: ["activation g", "激活函数 g"],
  "activation.relu": ["ReLU", "ReLU"],
  "activation.leaky_relu": ["leaky ReLU", "带泄漏的 ReLU"],
  "activation.sigmoid": ["sigmoid", "sigmoid"],
  start: ["first weights", "初始权重"],
  "start.own": ["the run's own", "本次运行的"],
  "start.random": ["random, by a seed", "随机（按种子）"],
  "start.zeros": ["all zero", "全为零"],
  "start.equal": ["all equal", "全部相等"],
  seed: ["seed", "种子"],
  weightScale: ["weight scale", "权重尺度"],
  weightScaleNumber: ["Weight scale, as a number", "权重尺度（数值）"],
  he: ["He: √(2/n)", "He：√(2/n)"],
  inputScale: ["input scale", "输入范围"],
  "scale.symmetric": ["symmetric, −1 to 1", "对称，−1 到 1"],
  "scale.unit": ["unit, 0 to 1", "单位，0 到 1"],
  "scale.raw": ["raw, 0 to 255", "原始，0 到 255"],
  command: ["The same in Python", "在 Python 中的等价命令"],
  notTheSame: ["α or a unit was changed on the way: the command takes this α from the start, and every unit.", "途中更改过 α 或单元：该命令从一开始就使用当前的 α 和全部单元。"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  noCommand: ["no command: jaxnet train draws its weights, so that they are never equal", "没有对应的命令：jaxnet train 的权重是随机抽取的，不会相等"],
  keys: ["Space plays · → step · ⇧→ ten · ← back · ↑ ↓ α · R reset", "空格播放 · → 一步 · ⇧→ 十步 · ← 后退 · ↑ ↓ 改 α · R 重置"],

  network: ["The network", "网络"],
  forward: ["forward", "前向"],
  backward: ["backward", "反向"],
  boxLabel: ["{name}, {shape}, size {size}", "{name}，{shape}，大小 {size}"],
  sizeNote: ["Under each name: its shape, and the root of its mean square now.", "每个名称下方：形状，以及当前的均方根。"],
  shapes: ["Shapes", "形状"],
  heat: ["Values of {name}", "{name} 的数值"],
  chosenNumbers: ["For the chosen picture", "所选图片的数值"],
  valueNumbers: ["Its numbers", "数值"],
  noTeaching: ["Only training pictures teach: this one has no derivatives.", "只有训练图片参与学习：这张图片没有导数。"],
  noPicturesHere: ["This page holds no pictures, so that these cannot be drawn.", "本页不含图片，因此无法绘制。"],
  balanced: ["Both classes count alike here: each picture has the weight of the run.", "两类在此同等计算：每张图片使用该次运行的权重。"],
  "box.X": ["The pictures: each is one column, every pixel a number.", "图片：每张是一列，每个像素是一个数。"],
  "box.W1": ["One row a hidden unit, one weight a pixel: drawn as pictures.", "每行一个隐藏单元，每个像素一个权重：以图片显示。"],
  "box.b1": ["What a unit adds before its activation; very negative, and a ReLU unit dies.", "激活前加上的偏置；过于负时，ReLU 单元会死亡。"],
  "box.Z1": ["How well each picture fits each unit's weights, plus the bias.", "每张图片与各单元权重的匹配程度，加上偏置。"],
  "box.A1": ["What each unit passes on.", "每个单元传出的值。"],
  "box.W2": ["The vote of each unit: above 0 towards “{yes}”, below towards “{no}”.", "每个单元的一票：大于 0 偏向“{yes}”，小于 0 偏向“{no}”。"],
  "box.b2": ["What is voted before any unit speaks.", "任何单元发言之前的初始票。"],
  "box.Z2": ["The sum of all votes.", "所有票之和。"],
  "box.A2": ["The probability of “{yes}”; the sigmoid flattens out at both ends.", "“{yes}”的概率；sigmoid 在两端变平。"],
  "box.J": ["The mean of all losses: how surprised the network is by the labels.", "所有损失的平均：标签让网络有多意外。"],
  "box.dA2": ["How the loss of a picture changes with its probability.", "每张图片的损失如何随其概率变化。"],
  "box.dZ2": ["Probability minus label: how far off, and to which side.", "概率减去标签：偏差多大，偏向哪边。"],
  "box.dW2": ["Which vote to change: error times activation, over all pictures.", "该改哪一票：误差乘以激活，对所有图片平均。"],
  "box.db2": ["The mean error.", "平均误差。"],
  "box.dA1": ["The error, handed back to each unit by its vote.", "误差按每个单元的票传回。"],
  "box.dZ1": ["The same, where the unit's slope lets it through.", "同上，但只在单元斜率允许处通过。"],
  "box.dW1": ["The pictures, added up by their errors: what a step takes off W1.", "按误差加权求和的图片：每一步从 W1 中减去的方向。"],
  "box.db1": ["The mean of dZ1 of each unit.", "每个单元 dZ1 的平均。"],

  curves: ["Curves", "曲线"],
  accuracy: ["accuracy", "准确率"],
  logarithmic: ["logarithmic", "对数"],
  train: ["train", "训练集"],
  test: ["test", "测试集"],
  theRun: ["the run itself", "原始运行"],
  entropy: ["class rate alone", "只按类别比例"],
  constant: ["always “{name}”", "总答“{name}”"],
  rises: ["steps that raised the cost: {n}", "使代价上升的步数：{n}"],
  curveLabel: ["Curves: iteration {t}, {text}. Arrow keys look back, Enter goes back.", "曲线：第 {t} 次迭代，{text}。方向键查看，回车返回。"],
  readTrain: ["train: cost {cost}, {right} right", "训练集：代价 {cost}，正确 {right}"],
  readTest: ["test: cost {cost}, {right} right", "测试集：代价 {cost}，正确 {right}"],
  interval: ["95 % interval of the test accuracy: {low} to {high}", "测试准确率的 95 % 区间：{low} 到 {high}"],
  clickBack: ["A click goes back to the nearest snapshot.", "点击回到最近的快照。"],

  units: ["Hidden units", "隐藏单元"],
  unitsNote: ["Warm pixels speak for firing, cool ones against; one scale for all.", "暖色像素促使激活，冷色像素抑制；所有单元同一色标。"],
  asEnded: ["No pictures here: these are the weights as the run ended.", "本页不含图片：这是运行结束时的权重。"],
  bias: ["bias", "偏置"],
  vote: ["vote", "投票"],
  active: ["active on", "激活比例"],
  dead: ["dead", "死亡"],
  alwaysOff: ["always off", "始终关闭"],
  alwaysOn: ["always on", "始终激活"],
  twin: ["twin of {n}", "与 {n} 相同"],
  silence: ["silence", "屏蔽"],
  freeze: ["freeze", "冻结"],
  silenceLabel: ["Silence unit {n}", "屏蔽单元 {n}"],
  freezeLabel: ["Freeze unit {n}", "冻结单元 {n}"],
  unitLabel: ["Weights of unit {n} as a picture", "单元 {n} 的权重图"],
  withoutIt: ["without it", "去掉它"],

  pictures: ["Pictures", "图片"],
  sortLoss: ["by loss", "按损失"],
  sortNumber: ["by number", "按编号"],
  sorting: ["Order", "排序"],
  pictureLabel: ["{split} {n}, {label}: P = {p}", "{split} {n}，{label}：P = {p}"],
  drop: ["Drop a photo here, or choose one", "把照片拖到这里，或选择一张"],
  dropNote: ["It never leaves this page.", "照片不会离开本页。"],
  photo: ["your photo", "您的照片"],
  notAPicture: ["That file is no picture that this browser can read.", "浏览器无法读取该文件为图片。"],

  chosen: ["The chosen picture", "所选图片"],
  isA: ["{split} {n}: “{label}”", "{split} {n}：“{label}”"],
  says: ["P(“{yes}”) = {p}", "P(“{yes}”) = {p}"],
  lossIs: ["loss {loss}", "损失 {loss}"],
  inColor: ["in colour", "彩色"],
  asSeen: ["as the network sees it", "网络所见"],
  template: ["which pixels push", "哪些像素起作用"],
  templateNote: ["Warm pixels, when bright, push towards “{yes}”, cool ones towards “{no}”: exact for the units this picture switches on.", "暖色像素变亮时偏向“{yes}”，冷色像素偏向“{no}”：对该图片所激活的单元是精确的。"],
  templateNoteSmooth: ["Warm pixels, when bright, push towards “{yes}”, cool ones towards “{no}”: for small changes of this picture.", "暖色像素变亮时偏向“{yes}”，冷色像素偏向“{no}”：适用于该图片的微小变化。"],
  unitColumn: ["unit", "单元"],
  sum: ["sum Z2", "总和 Z2"],

  aloneTrain: ["sample: {m} of {of} pictures; the run saw them all, so that its numbers differ", "抽样：{of} 张中的 {m} 张；原始运行使用了全部图片，因此数值不同"],
  otherRule: ["The run itself used {rule}; this page takes plain gradient descent.", "原始运行使用了 {rule}；本页使用普通梯度下降。"],
  holds: ["This file holds the {m} pictures of the run: give it only to those who may have them. It asks nothing of any network.", "本文件包含该次运行的 {m} 张图片：只交给有权获得它们的人。它不访问任何网络。"],
  holdsNot: ["This file holds no pictures: only weights, curves and the products of pictures. It asks nothing of any network.", "本文件不含图片：只有权重、曲线和图片之间的乘积。它不访问任何网络。"],
  isDead: ["No unit is active on any training picture: the network is dead.", "没有任何单元对训练图片激活：网络已死亡。"],
  notFinite: ["The cost is no finite number any more: α is too large.", "代价不再是有限数：α 过大。"],
  said: ["Iteration {t}: cost {cost}, {right} of the training pictures right.", "第 {t} 次迭代：代价 {cost}，训练图片正确 {right}。"],
};

let language = 0;

/** Choose the language by its code; an unknown one is English. */
export function speakIn(code) {
  language = Math.max(0, LANGUAGES.indexOf(code));
}

/** Say which language is spoken. */
export function spoken() {
  return LANGUAGES[language];
}

/** Say a text in the language that is spoken. */
export function say(key, values = {}) {
  return STRINGS[key][language].replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
}

/** Write a number shortly: with so many digits that count, or with an exponent. */
export function brief(number, digits = 3) {
  if (!Number.isFinite(number)) return String(number);
  if (number === 0) return "0";
  const size = Math.abs(number);
  const text = size >= 1e-3 && size < 1e5 ? plain(number, digits) : number.toExponential(1);
  return text.replaceAll("-", "−");
}

function plain(number, digits) {
  const after = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(number))));
  return number.toFixed(Math.min(after, 8));
}

/** Write a share as per cent. */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
